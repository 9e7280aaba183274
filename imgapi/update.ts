import { isRecord, type Rules } from './checks.js';
import { type FieldError, validationFailed } from './errors.js';
import { fieldOf, type Mutability } from './fields.js';
import type { Image, ImageFile } from './image.js';
import { asImage, normalize } from './manifest.js';

export interface UpdateContext {
  operator: boolean;
  rules: Rules;
}

const mayChange: Record<Mutability, (image: Image, context: UpdateContext) => boolean> = {
  anyone: () => true,
  operator: (_, { operator }) => operator,
  operatorUnactivated: (image, { operator }) => operator && !image.activated,
  never: () => false,
};

/** The image with the changes of an update in it. A field that is set to null goes; what it holds is replaced whole. */
export function applyUpdate(image: Image, body: unknown, context: UpdateContext): Image {
  if (typeof body !== 'object' || body === null) {
    throw validationFailed([{ field: 'body', code: 'MissingParameter' }], 'no changes');
  }
  const changes = Object.entries(body).filter(([, value]) => value !== undefined);
  if (changes.length === 0) throw validationFailed([], 'no changes');

  const refused = changes.filter(([name, value]) => !isAllowed(name, value, image, context));
  if (refused.length > 0) throw validationFailed(refused.map(notAllowed), 'this may not be updated');

  const { files, ...set } = normalize(Object.fromEntries(changes.filter(([, value]) => value !== null)));
  const removed = new Set(changes.filter(([, value]) => value === null).map(([name]) => name));
  const kept = Object.entries(image).filter(([name]) => !removed.has(name));
  return asImage(
    { ...Object.fromEntries(kept), ...set, ...(files !== undefined && { files: withDigests(image.files, files) }) },
    context.rules,
  );
}

const notAllowed = ([field]: [string, unknown]): FieldError => ({ field, code: 'NotAllowed' });

function isAllowed(name: string, value: unknown, image: Image, context: UpdateContext): boolean {
  if (!mayChange[fieldOf(name)?.update ?? 'never'](image, context)) return false;
  return name !== 'files' || altersDigestsOnly(image.files, value);
}

const digests = ['digest', 'uncompressedDigest'];

/** A value that is no list at all is left to validation. */
function altersDigestsOnly(current: ImageFile[], value: unknown): boolean {
  if (!Array.isArray(value)) return value !== null;
  return value.length === current.length && value.every((file, index) => leavesTheRest(current[index], file));
}

const leavesTheRest = (current: ImageFile | undefined, file: unknown) =>
  isRecord(file) &&
  Object.entries(file).every(([member, value]) => digests.includes(member) || memberOf(current, member) === value);

const memberOf = (file: ImageFile | undefined, member: string) => new Map(Object.entries(file ?? {})).get(member);

/** What the server keeps of a file stays, whether the client sent it along or not. */
const withDigests = (current: ImageFile[], files: unknown) =>
  Array.isArray(files) ? files.map((file, index) => ({ ...current[index], ...file })) : files;

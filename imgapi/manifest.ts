import { isJson, isRecord, type Manifest, type Rules } from './checks.js';
import { type FieldError, validationFailed } from './errors.js';
import { type Field, type FieldName, fieldOf, fields } from './fields.js';
import type { Image } from './image.js';

export type { Rules };

/** Whose problems are reported first, and which fields have to be there. Optional fields follow in their own order. */
interface Demands {
  early: FieldName[];
  required: FieldName[];
}

const minimal: Demands = { early: [], required: ['v', 'uuid', 'name', 'version', 'type', 'os'] };

/** What the server writes for an image to come, before it knows what it will be. */
const placeholder: Demands = {
  early: [],
  required: [...minimal.required, 'owner', 'disabled', 'activated', 'public', 'state'],
};

const complete: Demands = {
  early: ['icon', 'tags'],
  required: [
    'v',
    'uuid',
    'owner',
    'name',
    'version',
    'disabled',
    'activated',
    'published_at',
    'public',
    'state',
    'type',
    'os',
    'files',
    'nic_driver',
    'disk_driver',
    'cpu_type',
    'image_size',
  ],
};

const inChannels: Demands = { ...complete, required: [...complete.required, 'channels'] };

/** All that is wrong with a manifest on a server with these rules; nothing, if it is fine. */
export function validateManifest(manifest: unknown, rules: Rules): FieldError[] {
  return validate(manifest, rules.channels ? inChannels : complete, rules);
}

/** What a node asks of a manifest, and a server of the placeholder of an image to come. */
export function validateMinimal(manifest: unknown): FieldError[] {
  return validate(manifest, minimal, undefined);
}

/** The manifest with its values as they are stored: real booleans and numbers, nothing undefined. */
export function normalize(manifest: Manifest): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(manifest)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, fieldOf(name)?.read?.(value) ?? value]),
  );
}

/** A normalized record that passes is an image. */
export function asImage(record: Record<string, unknown>, rules: Rules): Image {
  const errors = findProblems(record, rules);
  if (errors.length > 0) throw validationFailed(errors);
  return record as Record<string, unknown> & Image;
}

/** All that is wrong with a record. What a server keeps beside the manifest is no part of it. */
export function findProblems(record: Record<string, unknown>, rules: Rules): FieldError[] {
  const { icon: _, expires_at: __, registration: ___, ...manifest } = record;
  const isComing = record.state === 'creating' && record.activated !== true;
  return isComing ? validate(manifest, placeholder, undefined) : validateManifest(manifest, rules);
}

function validate(given: unknown, { early, required }: Demands, rules: Rules | undefined): FieldError[] {
  const manifest = normalize(isRecord(given) ? given : {});
  const order = new Set<string>([...early, ...required, ...Object.keys(fields), ...Object.keys(manifest)]);
  const isRequired = new Set<string>(required);
  return [...order].flatMap((name) => {
    const field = fieldOf(name);
    if (!field) return [{ field: name, code: 'Invalid' }];
    if (manifest[name] !== undefined) return problemsOf(name, field, manifest, rules);
    return isRequired.has(name) ? absenceOf(name, field, manifest) : [];
  });
}

function problemsOf(name: string, field: Field, manifest: Manifest, rules: Rules | undefined): FieldError[] {
  const value = manifest[name];
  const problems = isJson(value) ? field.check(value, manifest, rules) : [{ message: 'is nested too deeply' }];
  return problems.map((problem) => ({ field: name, code: 'Invalid', ...problem }));
}

function absenceOf(name: string, { need }: Field, manifest: Manifest): FieldError[] {
  if (need && !need.when(manifest)) return [];
  return [{ field: name, code: 'MissingParameter', ...(need?.message && { message: need.message }) }];
}

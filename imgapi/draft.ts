import { isRecord, type Rules, shown } from './checks.js';
import { extraParameters, type FieldError, invalidParameter, validationFailed } from './errors.js';
import { fieldOf, type Intake } from './fields.js';
import { type Image, isUuid } from './image.js';
import { asImage, normalize } from './manifest.js';
import { upgradeManifest } from './upgrade.js';

/** The manifest of an image to come, as somebody sent it. */
export type Draft = Record<string, unknown>;
export type DraftKind = 'create' | 'import';

export interface DraftContext {
  uuid: string;
  owner: string;
  rules: Rules;
  channel?: string;
}

/** An account that somebody acts for owns what it creates. */
export function readDraft(kind: DraftKind, body: unknown, account?: string): Draft {
  if (!isRecord(body))
    throw validationFailed([{ field: 'body', code: 'MissingParameter' }], 'no manifest came as application/json');
  const draft = upgraded(body);
  if (account !== undefined && draft.owner !== undefined && draft.owner !== account) {
    throw invalidParameter('owner', 'Invalid', `owner ${shown(draft.owner)} is not account ${account}`);
  }
  if (kind === 'create' && body.state !== undefined) {
    throw validationFailed([{ field: 'state', code: 'NotAllowed', message: 'new images are unactivated' }]);
  }
  const kept = Object.entries(draft).filter(([name, value]) => value !== undefined && intakeOf(name) !== 'dropped');
  return { ...(kind === 'create' && { v: 2 }), ...Object.fromEntries(kept) };
}

export function requireOwner(value: unknown): string {
  if (isUuid(value)) return value;
  const code = value === undefined ? 'MissingParameter' : 'Invalid';
  throw validationFailed([{ field: 'owner', code, message: 'an image needs an owner, by uuid' }]);
}

/** The record of a new image. Whether owner and origin exist is for the server to check, before this. */
export function finishDraft(kind: DraftKind, draft: Draft, { uuid, owner, rules, channel }: DraftContext): Image {
  refuseExtras(kind, draft);
  const { published_at } = draft;
  if (published_at !== undefined && typeof published_at !== 'string') {
    throw invalidParameter('published_at', 'Invalid', 'published_at must be a date in a string');
  }
  const taken = Object.entries(normalize(draft)).filter(([name]) => intakeOf(name) !== 'dropped');
  return asImage(
    {
      disabled: false,
      public: false,
      ...Object.fromEntries(taken),
      ...unsized(kind, draft),
      uuid,
      owner,
      files: [],
      activated: false,
      state: 'unactivated',
      ...(channel !== undefined && { channels: [channel] }),
    },
    rules,
  );
}

/** A manifest that can't be upgraded goes on as it is: validation says what is wrong with it, field by field. */
function upgraded(body: Draft): Draft {
  if (!body.v && !body.creator_uuid) return body; // most say no version, and a refusal is dear
  try {
    return upgradeManifest(body);
  } catch {
    return body;
  }
}

const intakeOf = (name: string): Intake => fieldOf(name)?.intake ?? 'never';

const isExtra: Record<Intake, (kind: DraftKind, draft: Draft) => boolean> = {
  taken: () => false,
  dropped: () => false,
  never: () => true,
  import: (kind) => kind !== 'import',
  zvol: (_, draft) => draft.type !== 'zvol',
};

function refuseExtras(kind: DraftKind, draft: Draft): void {
  const extras = Object.entries(draft)
    .filter(([name, value]) => value !== undefined && isExtra[intakeOf(name)](kind, draft))
    .map(([field]): FieldError => ({ field, code: 'Invalid' }));
  if (extras.length === 0) return;
  throw extraParameters(extras);
}

/** Clients know a zvol that is created without its size as one whose size is no number. */
const unsized = (kind: DraftKind, { type, image_size }: Draft): Draft =>
  kind === 'create' && type === 'zvol' && image_size === undefined ? { image_size: Number.NaN } : {};

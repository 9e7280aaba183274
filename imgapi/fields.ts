import { type Check, flag, type Manifest, object, oneOf, string, uuid } from './checks.js';
import { states } from './image.js';
import { requirements } from './requirements.js';
import {
  accounts,
  billingTags,
  channels,
  description,
  directories,
  driver,
  files,
  imageSize,
  imageType,
  name,
  os,
  publicity,
  publishedAt,
  specVersion,
  tags,
  traits,
  url,
  users,
  version,
} from './values.js';

/** Who may change the field of an image that exists. */
export type Mutability = 'anyone' | 'operator' | 'operatorUnactivated' | 'never';

/**
 * What becomes of the field in the body of a create or an import: taken, taken by an import only, taken for zvols only,
 * dropped without a word, or never taken. A field that is not taken is an extra parameter, and the body is refused.
 */
export type Intake = 'taken' | 'import' | 'zvol' | 'dropped' | 'never';

/** When a field of the required list has to be there; without it, always. */
export interface Need {
  when(manifest: Manifest): boolean;
  message?: string;
}

export interface Field {
  check: Check;
  update: Mutability;
  intake: Intake;
  need?: Need;
  /** From the forms that clients may send to the one that is stored. What it can't read, it leaves to the check. */
  read?(value: unknown): unknown;
}

const onceActivated: Need = { when: ({ activated }) => activated === true, message: 'must be there once activated' };
const onZvols: Need = { when: ({ type }) => type === 'zvol' };

const spelledFlags = new Map<unknown, boolean>([
  ['true', true],
  ['false', false],
]);
const readFlag = (value: unknown) => spelledFlags.get(value) ?? value;
const readNumber = (value: unknown) =>
  typeof value === 'string' && /\d/.test(value) && Number(value) >= 0 ? Number(value) : value;
const readText = (value: unknown) => (typeof value === 'number' ? String(value) : value);

/** The manifest, field by field, in the order in which problems of optional fields are reported. */
export const fields = {
  v: { check: specVersion, update: 'never', intake: 'taken', read: readNumber },
  uuid: { check: uuid, update: 'operatorUnactivated', intake: 'import' },
  urn: { check: string, update: 'never', intake: 'import' },
  owner: { check: uuid, update: 'anyone', intake: 'taken' },
  name: { check: name, update: 'anyone', intake: 'taken', read: readText },
  version: { check: version, update: 'anyone', intake: 'taken', read: readText },
  description: { check: description, update: 'anyone', intake: 'taken' },
  homepage: { check: url, update: 'anyone', intake: 'taken' },
  eula: { check: url, update: 'anyone', intake: 'taken' },
  disabled: { check: flag, update: 'never', intake: 'taken', read: readFlag },
  activated: { check: flag, update: 'never', intake: 'never', read: readFlag },
  published_at: { check: publishedAt, update: 'never', intake: 'import', need: onceActivated },
  state: { check: oneOf(states), update: 'operator', intake: 'dropped' },
  public: { check: publicity, update: 'anyone', intake: 'taken', read: readFlag },
  type: { check: imageType, update: 'never', intake: 'taken' },
  os: { check: os, update: 'anyone', intake: 'taken' },
  origin: { check: uuid, update: 'operatorUnactivated', intake: 'taken' },
  error: { check: object, update: 'operator', intake: 'taken' },
  files: { check: files, update: 'operatorUnactivated', intake: 'dropped', need: onceActivated },
  icon: { check: flag, update: 'never', intake: 'dropped', read: readFlag },
  acl: { check: accounts, update: 'anyone', intake: 'taken' },
  requirements: { check: requirements, update: 'anyone', intake: 'taken' },
  users: { check: users, update: 'anyone', intake: 'taken' },
  billing_tags: { check: billingTags, update: 'operator', intake: 'taken' },
  traits: { check: traits, update: 'operator', intake: 'taken' },
  tags: { check: tags, update: 'anyone', intake: 'taken' },
  generate_passwords: { check: flag, update: 'anyone', intake: 'taken', read: readFlag },
  inherited_directories: { check: directories, update: 'anyone', intake: 'taken' },
  nic_driver: { check: driver, update: 'anyone', intake: 'zvol', need: onZvols },
  disk_driver: { check: driver, update: 'anyone', intake: 'zvol', need: onZvols },
  cpu_type: { check: driver, update: 'anyone', intake: 'zvol', need: onZvols },
  image_size: { check: imageSize, update: 'anyone', intake: 'zvol', need: onZvols, read: readNumber },
  channels: { check: channels, update: 'anyone', intake: 'dropped' },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof fields;

export function fieldOf(name: string): Field | undefined {
  return Object.hasOwn(fields, name) ? fields[name as FieldName] : undefined;
}

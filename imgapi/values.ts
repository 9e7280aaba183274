import {
  array,
  atMost,
  type Check,
  each,
  exactly,
  first,
  flag,
  isRecord,
  matching,
  must,
  object,
  oneOf,
  type Rules,
  string,
} from './checks.js';
import { compressions, isUuid, type Mode, oses, types } from './image.js';

const MAX = { name: 1024, version: 512, url: 1024, description: 10 * 1024, billingTag: 128, tags: 100 * 1024 };

/** Whether public images belong on the server, where its mode says so. */
export const publicImages: Record<Mode, { only: boolean; message: string } | undefined> = {
  public: { only: true, message: 'private images are not for a public server: set "public": true' },
  private: { only: false, message: 'public images are not for a private server: leave "public" out' },
  dc: undefined,
};

const suitsMode: Check = (value, _, rules) => {
  const law = rules && publicImages[rules.mode];
  return law && value !== law.only ? [{ message: law.message }] : [];
};

/** A placeholder does not know its type and os yet. */
const known =
  (values: readonly string[]): Check =>
  (value, manifest, rules) =>
    value === 'null' && (manifest.state === 'creating' || manifest.state === 'failed')
      ? []
      : oneOf(values)(value, manifest, rules);

const forType =
  (type: string): Check =>
  (_, manifest) =>
    manifest.type === type ? [] : [{ message: `is for images of type ${type} only` }];

/** An empty driver says nothing, so it does no harm anywhere. */
export const driver = first(string, (value, ...rest) => (value === '' ? [] : forType('zvol')(value, ...rest)));

/** As which clients know a size that is not said. */
const said: Check = (value) => (Number.isNaN(value) ? [{ message: 'is missing: the size of the disk, in MiB' }] : []);

export const imageSize = first(
  said,
  must((value) => Number.isInteger(value) && Number(value) >= 0, 'must be a whole number of MiB'),
  (value, ...rest) => (value === 0 ? [] : forType('zvol')(value, ...rest)),
);

export const url = first(string, matching(/^\s*https?:/i, 'must be an http or https URL'), atMost(MAX.url));

const isDate = (value: unknown) =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));

export const accounts = first(array, each(isUuid, 'must hold UUIDs', 1));

const notTooMany: Check = (value, { type }) =>
  Object(value).length > (type === 'lxd' ? 2 : 1) ? [{ message: 'has too many files' }] : [];

const fileChecks: Record<string, (value: unknown, rules: Rules | undefined) => boolean> = {
  sha1: Boolean,
  size: Boolean,
  compression: (value, rules) =>
    compressions.some((compression) => compression === value) || (value === 'zstd' && rules?.zstd === true),
  digest: (value) => value === undefined || typeof value === 'string',
  uncompressedDigest: (value) => value === undefined || typeof value === 'string',
};

const fileEntries: Check = (value, _, rules) =>
  Object.values(Object(value)).flatMap((file) =>
    Object.entries(fileChecks).flatMap(([member, test]) =>
      test(isRecord(file) ? file[member] : undefined, rules)
        ? []
        : [{ message: `has a file with a missing or bad ${member}` }],
    ),
  );

const tagsFit: Check = (value) =>
  JSON.stringify(value).length > MAX.tags ? [{ message: `are too big: at most ${MAX.tags} characters of JSON` }] : [];

const configured: Check = (_, __, rules) =>
  rules && !rules.channels ? [{ message: 'this server has no channels' }] : [];

const isString = (value: unknown) => typeof value === 'string';
const isTrait = (value: unknown) => isString(value) || typeof value === 'boolean' || Array.isArray(value);
const isBillingTag = (value: unknown) => typeof value === 'string' && value.length <= MAX.billingTag;
const isUser = (value: unknown) => exactly('name')(value) && isRecord(value) && isString(value.name);

export const name = first(
  string,
  atMost(MAX.name),
  matching(/^[A-Za-z0-9._/ -]+$/, 'may hold letters, digits, . _ / - and spaces'),
);
export const version = first(
  string,
  atMost(MAX.version),
  matching(/^[A-Za-z0-9._/+-]+$/, 'may hold letters, digits, . _ / + and -'),
);
export const specVersion = must(
  (value) => typeof value === 'number' && value >= 0 && value < Infinity,
  'must be a positive number',
);

export const description = first(string, atMost(MAX.description));
export const publicity = first(flag, suitsMode);
export const imageType = known(types);
export const os = known(oses);
export const publishedAt = must(isDate, 'must be a date such as 2026-11-20T23:57:37.472Z');
export const files = first(array, notTooMany, fileEntries);
export const users = first(array, each(isUser, 'entries must have a name only'));
export const billingTags = first(
  array,
  each(isBillingTag, `must hold strings of at most ${MAX.billingTag} characters`),
);
export const traits = first(object, each(isTrait, 'must have strings, arrays, true or false as values'));
export const tags = first(object, tagsFit);
export const directories = first(forType('zone-dataset'), array, each(isString, 'must hold strings'));
export const channels = first(configured, array, each(isString, 'must hold strings'));

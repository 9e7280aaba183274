import type { Rules } from '../../imgapi/manifest.js';
import type { Manifest } from './manifests.js';

/** Where section 11 of the contract, or rules.md, want another verdict than the field's own validator gives. */
export interface Difference {
  name: string;
  why: string;
  /** The fields, as errors name them, on which the two may disagree about this manifest; none: it does not apply. */
  disputed(manifest: Manifest, rules: Rules | undefined): string[];
  /** Theirs may throw, and so say nothing about any field. */
  crashes?: true;
}

type Test = (value: unknown) => boolean;

const isNull: Test = (value) => value === null;
const isText: Test = (value) => typeof value === 'string';
const isRecord = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const not =
  (test: Test): Test =>
  (value) =>
    !test(value);
const holds =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.some(test);
const member =
  (name: string, test: Test): Test =>
  (value) =>
    isRecord(value) && value[name] !== undefined && test(value[name]);

const set =
  (test: Test): Test =>
  (value) =>
    value !== null && test(value);

const isFlag: Test = (value) => [true, false, 'true', 'false'].some((flag) => flag === value);
const isNumeric: Test = (value) => (typeof value === 'number' ? true : typeof value === 'string' && /\d/.test(value));
const isStamp: Test = (value) => typeof value === 'string' && /^\d{8}T\d{6}Z$/.test(value);
const arePlatforms: Test = (value) => !value || (isRecord(value) && Object.values(value).every(isStamp));
const isDeep = (value: unknown, left = 64): boolean =>
  typeof value === 'object' && value !== null && (left === 0 || Object.values(value).some((v) => isDeep(v, left - 1)));

const on = (fields: string[], test: Test) => (manifest: Manifest) =>
  fields.filter((field) => manifest[field] !== undefined && test(manifest[field]));

const onRequirements = (names: string[], test: Test) => (manifest: Manifest) =>
  names.filter((name) => member(name, test)(manifest.requirements)).map((name) => `requirements.${name}`);

/** Errors name members of the requirements with the field, or bare. */
const membersOf = (manifest: Manifest, field: string) =>
  Object.keys(Object(manifest[field])).flatMap((name) => [name, `${field}.${name}`]);

export const differences: Difference[] = [
  {
    name: 'D-01 null',
    why: 'theirs reads the members of null and throws',
    disputed: on(['name', 'version', 'description', 'homepage', 'eula', 'traits', 'tags', 'requirements'], isNull),
    crashes: true,
  },
  {
    name: 'D-01 null in a list',
    why: 'theirs reads the members of null and throws',
    disputed: on(['users', 'files'], holds(isNull)),
    crashes: true,
  },
  {
    name: 'D-01 null among the networks',
    why: 'theirs reads the members of null and throws',
    disputed: onRequirements(['networks'], holds(isNull)),
    crashes: true,
  },
  {
    name: 'D-01 URLs that are no strings',
    why: 'theirs throws',
    disputed: on(['homepage', 'eula'], set(not(isText))),
    crashes: true,
  },
  {
    name: 'D-01 URLs that cannot be parsed',
    why: 'theirs throws; the contract asks for a scheme only',
    disputed: on(['homepage'], (value) => value === 'http://[::1'),
    crashes: true,
  },
  {
    name: 'D-01 a field called hasOwnProperty',
    why: 'theirs calls it',
    disputed: on(['hasOwnProperty'], isNumeric),
    crashes: true,
  },
  {
    name: 'D-02 bad booleans',
    why: 'theirs throws, and the reference answers 500',
    disputed: on(['disabled', 'activated', 'generate_passwords', 'icon'], not(isFlag)),
    crashes: true,
  },
  {
    name: 'D-15 platform stamps',
    why: 'theirs throws for null, takes letters for digits and arrays for objects',
    disputed: onRequirements(['min_platform', 'max_platform'], not(arePlatforms)),
    crashes: true,
  },
  {
    name: 'D-15 names that are neither text nor numbers',
    why: 'theirs tests the string that the value turns into',
    disputed: on(
      ['name', 'version'],
      set((value) => !isText(value) && typeof value !== 'number'),
    ),
  },
  {
    name: 'D-15 descriptions that are no text',
    why: 'theirs looks at the length only',
    disputed: on(['description'], set(not(isText))),
  },
  {
    name: 'D-15 uuids in arrays',
    why: 'theirs tests the string that the array turns into',
    disputed: on(['uuid', 'owner', 'origin'], Array.isArray),
  },
  {
    name: 'D-15 uuids in arrays in the acl',
    why: 'theirs tests the string that the array turns into',
    disputed: on(['acl'], holds(Array.isArray)),
  },
  {
    name: 'D-15 dates in arrays, of no calendar, or empty',
    why: 'theirs skips false, 0 and "", and does not read the date',
    disputed: on(['published_at'], (value) => !value || String(value).includes('-99-')),
  },
  {
    name: 'D-15 types and systems that every object has',
    why: 'theirs looks the value up in an object',
    disputed: on(['type', 'os'], (value) => value === 'constructor'),
  },
  {
    name: 'D-15 numbers that are none',
    why: 'to theirs null, false, [] and "" are 0, and true is 1',
    disputed: on(['v', 'image_size'], not(isNumeric)),
  },
  {
    name: 'D-15 negative sizes',
    why: 'theirs takes any integer',
    disputed: on(['image_size'], (value) => Number(value) < 0),
  },
  {
    name: 'D-15 arrays for objects',
    why: 'theirs asks for typeof object',
    disputed: on(['error', 'traits'], Array.isArray),
  },
  {
    name: 'D-15 null for an error',
    why: 'theirs asks for typeof object',
    disputed: on(['error'], isNull),
  },
  {
    name: 'D-15 requirements that are no object',
    why: 'theirs copies the members of whatever it gets, and reports those',
    disputed: (manifest) =>
      on(
        ['requirements'],
        not(isRecord),
      )(manifest).flatMap((field) => [field, ...Object.keys(Object(manifest.requirements))]),
  },
  {
    name: 'D-15 users whose name is no text',
    why: 'theirs asks for any name',
    disputed: on(['users'], holds(member('name', not(isText)))),
  },
  {
    name: 'D-15 digests that are no text',
    why: 'theirs does not know them',
    disputed: on(['files'], holds(member('digest', not(isText)))),
  },
  {
    name: 'deep nesting',
    why: 'who serializes it would exhaust the stack',
    disputed: (manifest) =>
      Object.keys(manifest)
        .filter((field) => isDeep(manifest[field]))
        .flatMap((field) => [field, ...membersOf(manifest, field)]),
  },
  {
    name: 'rules.md 15: channels in mode dc',
    why: 'theirs knows none there',
    disputed: (_, rules) => (rules?.mode === 'dc' && rules.channels ? ['channels'] : []),
  },
  {
    name: 'channels of a placeholder',
    why: 'theirs throws where the minimal set meets channels',
    disputed: (manifest, rules) => (rules ? [] : on(['channels'], () => true)(manifest)),
    crashes: true,
  },
];

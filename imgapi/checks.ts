import { type FieldError, MOST_PROBLEMS } from './errors.js';
import { isUuid, type Mode } from './image.js';

export type Manifest = Readonly<Record<string, unknown>>;

/** What the server's configuration asks of every manifest. */
export interface Rules {
  mode: Mode;
  channels: boolean;
  /** Files may be packed with zstd, which the contract does not know. */
  zstd?: boolean;
}

/** What is wrong with a value. The field is the one that was checked, and Invalid, unless the problem says otherwise. */
export type Problem = Partial<FieldError>;

/** Looks at a value that is there. Without rules only its shape counts. */
export type Check = (value: unknown, manifest: Manifest, rules: Rules | undefined) => Problem[];

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deeper values would exhaust the stack of those who serialize them. */
const MAX_DEPTH = 64;

export function isJson(value: unknown, depth = 0): boolean {
  if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)) return true;
  if (typeof value !== 'object' || depth === MAX_DEPTH) return false;
  return Object.values(value).every((member) => isJson(member, depth + 1));
}

/** A value as messages quote it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (Array.isArray(value)) return 'an array';
  return isRecord(value) ? 'an object' : String(value);
}

export const must =
  (test: (value: unknown) => boolean, what: string): Check =>
  (value) =>
    test(value) ? [] : [{ message: `${what}, not ${shown(value)}` }];

/** The first of the checks that finds something has said it all. */
export const first =
  (...checks: Check[]): Check =>
  (...given) => {
    for (const check of checks) {
      const problems = check(...given);
      if (problems.length > 0) return problems;
    }
    return [];
  };

export const oneOf = (values: readonly unknown[]): Check =>
  must((value) => values.includes(value), `must be one of ${values.join(', ')}`);

export const uuid: Check = (value) => (isUuid(value) ? [] : [{}]);
export const string: Check = must((value) => typeof value === 'string', 'must be a string');
export const flag: Check = must((value) => typeof value === 'boolean', 'invalid value: must be true or false');
export const integer: Check = must(Number.isInteger, 'must be an integer');
export const array: Check = must(Array.isArray, 'must be an array');
export const object: Check = must(isRecord, 'must be an object');

export const atMost =
  (max: number): Check =>
  (value) =>
    String(value).length > max ? [{ message: `is too long: at most ${max} characters` }] : [];

export const matching =
  (pattern: RegExp, what: string): Check =>
  (value) =>
    pattern.test(String(value)) ? [] : [{ message: `${what}, not ${shown(value)}` }];

/** One problem for each bad member of an array or object, up to a number. */
export const each =
  (test: (member: unknown) => boolean, what: string, most = MOST_PROBLEMS): Check =>
  (value) => {
    const problems: Problem[] = [];
    for (const [key, member] of Object.entries(Object(value))) {
      if (!test(member)) problems.push({ message: `${what}; ${key} is ${shown(member)}` });
      if (problems.length >= most) break;
    }
    return problems;
  };

/** Has these members and no others. */
export const exactly =
  (...names: string[]) =>
  (value: unknown): boolean =>
    isRecord(value) && names.every((name) => value[name] !== undefined) && Object.keys(value).length === names.length;

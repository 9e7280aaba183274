import {
  array,
  type Check,
  each,
  exactly,
  first,
  flag,
  integer,
  isRecord,
  type Manifest,
  must,
  object,
  oneOf,
  shown,
  string,
} from './checks.js';

/** A platform stamp, such as 20130308T102805Z. Calendars are not consulted: each part just has a range. */
const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const MIN = [2012, 1, 1, 0, 0, 0];
const MAX = [9999, 12, 31, 23, 59, 59];

function isPlatformStamp(value: unknown): boolean {
  const match = typeof value === 'string' ? STAMP.exec(value) : null;
  return match?.slice(1).every((part, index) => +part >= MIN[index]! && +part <= MAX[index]!) ?? false;
}

const platforms = first(
  object,
  must((value) => Object.keys(Object(value)).length > 0, 'must name a platform'),
  each(isPlatformStamp, 'must have platform stamps as values'),
);

const notBelowMinimum: Check = (max, { min_ram: min }) =>
  min && Number.isInteger(min) && Number(max) < Number(min) ? [{ message: `is below min_ram ${min}` }] : [];

const onBhyve: Check = (_, { brand }) => {
  if (!brand) return [{ code: 'MissingParameter', message: 'needs requirements.brand to be bhyve' }];
  return brand === 'bhyve' ? [] : [{ message: 'is for the brand bhyve only' }];
};

const checks: Record<string, Check> = {
  networks: first(array, each(exactly('name', 'description'), 'entries must have a name and a description only')),
  brand: string,
  ssh_key: flag,
  min_ram: integer,
  max_ram: first(integer, notBelowMinimum),
  min_platform: platforms,
  max_platform: platforms,
  bootrom: first(onBhyve, oneOf(['bios', 'uefi'])),
};

const known = ([name, check]: [string, Check], requirements: Manifest) =>
  // a requirement that is false, zero or empty asks for nothing
  requirements[name]
    ? check(requirements[name], requirements, undefined).map((problem) => ({
        field: `requirements.${name}`,
        ...problem,
      }))
    : [];

/** Problems name the requirement; an unknown one is named bare, without the prefix, as clients know it. */
export const requirements: Check = (value) => {
  if (!isRecord(value)) return object(value, {}, undefined);
  return [
    ...Object.entries(checks).flatMap((entry) => known(entry, value)),
    ...Object.keys(value)
      .filter((name) => !Object.hasOwn(checks, name))
      .map((field) => ({ field, message: `unknown requirement ${shown(field)}` })),
  ];
};

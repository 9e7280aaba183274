import { shown } from './checks.js';
import { invalidParameter } from './errors.js';
import { type Image, isUuid } from './image.js';

/** What the filters and the order of a list need to know of an image. Servers keep one for each, so it is slim. */
export interface Listed {
  uuid: string;
  owner: string;
  name: string;
  version: string;
  os: string;
  type: string;
  state: string;
  public: boolean;
  activated: boolean;
  disabled: boolean;
  /** In milliseconds; 0 when the image has never been published. */
  published: number;
  /** As `key=value`. */
  tags: readonly string[];
  billingTags: readonly string[];
  acl: readonly string[];
  channels?: readonly string[];
  origin?: string;
}

export type RawQuery = Record<string, string | string[] | undefined>;
export type StateFilter = keyof typeof stateFilters;
type Position = Pick<Listed, 'published' | 'uuid'>;
type Filter = (entry: Listed) => boolean;

export interface ListQuery {
  state: StateFilter;
  /** Whom the list is for: their own images, and what others let them see. */
  account?: string;
  /** On name, version, owner, os, type, public and tags; an entry must pass them all. */
  filters: readonly Filter[];
  limit: number | undefined;
  marker?: { uuid: string } | { time: number };
  descending: boolean;
}

const NOTHING: readonly string[] = [];
const MAX_TAG_VALUE = 100;

export function listed(image: Image): Listed {
  const {
    uuid,
    owner,
    name,
    version,
    os,
    type,
    state,
    public: isPublic,
    activated,
    disabled,
    channels,
    origin,
  } = image;
  return {
    uuid,
    owner,
    name,
    version,
    os,
    type,
    state,
    public: isPublic,
    activated,
    disabled,
    published: Date.parse(image.published_at ?? '') || 0,
    tags: image.tags ? Object.entries(image.tags).map(([key, value]) => `${key}=${indexedTag(value)}`) : NOTHING,
    billingTags: image.billing_tags ?? NOTHING,
    acl: image.acl ?? NOTHING,
    ...(channels && { channels }),
    ...(origin !== undefined && { origin }),
  };
}

/** Values that are structured or long can only be asked for as empty. */
function indexedTag(value: unknown): string {
  if (typeof value === 'object') return '';
  const text = String(value);
  return text.length > MAX_TAG_VALUE ? '' : text;
}

const isActive: Filter = ({ activated, disabled }) => activated && !disabled;
const hasState =
  (state: string): Filter =>
  (entry) =>
    entry.state === state;
const everything: Filter = () => true;
const nothing: Filter = () => false;

/** By value of `state`: what is listed of one's own images, and what of those that others let one see. */
const stateFilters = {
  active: { own: isActive, others: isActive },
  disabled: { own: ({ activated, disabled }) => activated && disabled, others: nothing },
  unactivated: { own: ({ activated }) => !activated, others: nothing },
  all: { own: everything, others: everything },
  creating: { own: hasState('creating'), others: everything },
  failed: { own: hasState('failed'), others: everything },
} as const satisfies Record<string, { own: Filter; others: Filter }>;

const textFilter =
  (field: 'name' | 'version') =>
  (value: string): Filter =>
    value.startsWith('~') ? (entry) => entry[field].includes(value.slice(1)) : (entry) => entry[field] === value;

const booleans: Record<string, boolean> = { true: true, false: false };

/** One parameter, one filter. */
const parameters: Record<string, (value: string) => Filter> = {
  name: textFilter('name'),
  version: textFilter('version'),
  owner: (value) => (entry) => entry.owner === value,
  os: (value) => (entry) => entry.os === value,
  type: (value) => (value.startsWith('!') ? (entry) => entry.type !== value.slice(1) : (entry) => entry.type === value),
  public: (value) => {
    if (!Object.hasOwn(booleans, value)) throw malformed('public', value, 'true or false');
    return (entry) => entry.public === booleans[value];
  },
};

const malformed = (field: string, value: unknown, wanted: string) =>
  invalidParameter(field, 'Invalid', `${field} must be ${wanted}, not ${shown(value)}`);

/** A parameter that may be given once. */
export function single(raw: RawQuery, name: string): string | undefined {
  const value = raw[name];
  if (Array.isArray(value)) throw malformed(name, value.join(), 'given once');
  return value;
}

export function parseListQuery(raw: RawQuery): ListQuery {
  const account = single(raw, 'account');
  const marker = parseMarker(single(raw, 'marker'));
  return {
    state: parseState(single(raw, 'state')),
    ...(account !== undefined && { account }),
    filters: [...parseFilters(raw), ...parseTags(raw), ...parseBillingTags(raw.billing_tag)],
    limit: parseLimit(single(raw, 'limit')),
    ...(marker && { marker }),
    descending: parseSort(single(raw, 'sort')),
  };
}

const isStateFilter = (value: string): value is StateFilter => Object.hasOwn(stateFilters, value);

function parseState(value: string | undefined): StateFilter {
  const state = value || 'active';
  if (!isStateFilter(state)) throw malformed('state', state, `one of ${Object.keys(stateFilters).join(', ')}`);
  return state;
}

function parseFilters(raw: RawQuery): Filter[] {
  return Object.entries(parameters).flatMap(([name, filter]) => {
    const value = single(raw, name);
    return value === undefined ? [] : [filter(value)];
  });
}

/** A tag that is asked for twice is joined, and so met by no image: it can have one value only. */
function parseTags(raw: RawQuery): Filter[] {
  return Object.entries(raw)
    .filter(([name, value]) => name.startsWith('tag.') && value !== undefined)
    .map(([name, value]) => `${name.slice('tag.'.length)}=${value}`)
    .map((tag) => (entry) => entry.tags.includes(tag));
}

function parseBillingTags(value: string | string[] = []): Filter[] {
  return [value].flat().map((tag) => (entry) => entry.billingTags.includes(tag));
}

function parseLimit(value: string | undefined): number | undefined {
  const limit = Number(value ?? '');
  if (!Number.isSafeInteger(limit) || limit < 0) throw malformed('limit', value, 'a whole number');
  return limit || undefined;
}

function parseMarker(value: string | undefined): ListQuery['marker'] {
  if (!value) return undefined;
  if (isUuid(value)) return { uuid: value };
  const time = Date.parse(value);
  if (Number.isNaN(time)) throw malformed('marker', value, 'a uuid or a date');
  return { time };
}

/** Is the list to descend? */
function parseSort(value: string | undefined): boolean {
  const [attribute, direction = 'asc'] = (value || 'published_at').split('.');
  if (attribute !== 'published_at')
    throw malformed('sort', value, 'published_at, published_at.asc or published_at.desc');
  return direction.toLowerCase() !== 'asc';
}

/** All filters, and whom the list is for. Channel, marker and limit are for others to heed. */
export function matches({ state, account, filters }: ListQuery, entry: Listed): boolean {
  if (!filters.every((filter) => filter(entry))) return false;
  const isOthers = account !== undefined && entry.owner !== account;
  if (isOthers && !isOpenTo(account, entry)) return false;
  return stateFilters[state][isOthers ? 'others' : 'own'](entry);
}

const isOpenTo = (account: string, entry: Listed) => entry.activated && (entry.public || entry.acl.includes(account));

export function compareListed(a: Position, b: Position): number {
  return a.published - b.published || (a.uuid < b.uuid ? -1 : Number(a.uuid > b.uuid));
}

/** A page of entries that are sorted by compareListed, from the marker on (and with it), in the order asked for. */
export function pageOf<T extends Listed>(
  sorted: readonly T[],
  query: ListQuery,
  markerEntry: Position | undefined,
  accept: (entry: T) => boolean,
): T[] {
  const { descending, limit = Number.POSITIVE_INFINITY } = query;
  const step = descending ? -1 : 1;
  const page: T[] = [];
  for (let at = startOf(sorted, query, markerEntry); at >= 0 && at < sorted.length && page.length < limit; at += step) {
    const entry = sorted[at];
    if (entry && accept(entry)) page.push(entry);
  }
  return page;
}

/** Below and above every uuid. */
const LOWEST = '';
const HIGHEST = '~';

function startOf(
  sorted: readonly Listed[],
  { descending, marker }: ListQuery,
  markerEntry: Position | undefined,
): number {
  const edge = descending ? HIGHEST : LOWEST;
  // an image that is not published has no place to start from
  const published = markerEntry?.published ? markerEntry : undefined;
  const from = marker && 'time' in marker ? { published: marker.time, uuid: edge } : published;
  if (!from) return descending ? sorted.length - 1 : 0;
  return descending
    ? countWhile(sorted, (entry) => compareListed(entry, from) <= 0) - 1
    : countWhile(sorted, (entry) => compareListed(entry, from) < 0);
}

/** How many entries at the beginning pass a test that none passes after one that fails. */
function countWhile<T>(sorted: readonly T[], test: (entry: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

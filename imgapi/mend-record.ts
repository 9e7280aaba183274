import { isRecord } from './checks.js';
import { validationFailed } from './errors.js';
import { fieldOf, fields } from './fields.js';
import { UNSET_OWNER } from './image.js';
import { upgradeManifest } from './upgrade.js';

type Draft = Record<string, unknown>;

/** What is known of an image beside its record. */
export interface Circumstances {
  uuid: string;
  /** What an image is that says nothing about its state. */
  unsaidState?: 'active' | undefined;
  /** When its file came. */
  uploaded?: string | undefined;
}

/** One way in which old records differ from today's. Tells what a person may want to know of what it did. */
type Mend = (draft: Draft, circumstances: Circumstances, tell: (what: string) => void) => Draft;

/** In their order. None guesses: what a record does not show in some form stays away, and validation will say so. */
const mends: Mend[] = [
  upgraded,
  tagsByKey,
  listsOfOne,
  withoutNothings,
  requirementsRead,
  withDefaults,
  withState,
  withDates,
  onlyKnown,
];

/** A record of whatever age, as near to today's form as can be had without inventing anything. */
export function mend(record: Draft, circumstances: Circumstances, tell: (what: string) => void): Draft {
  return mends.reduce((draft, step) => step(draft, circumstances, tell), record);
}

function upgraded(draft: Draft, _: Circumstances, tell: (what: string) => void): Draft {
  const isOld = draft.creator_uuid && draft.owner === undefined && !(Number(draft.v) >= 2);
  if (isOld) {
    tell('upgraded from the form of DSAPI');
    return upgradedFromV1(draft);
  }
  if (draft.v !== undefined && draft.v !== null) return draft;
  tell('v: was absent, taken as 2');
  return { ...draft, v: 2 };
}

function upgradedFromV1(draft: Draft): Draft {
  try {
    return upgradeManifest({ ...draft, disabled: fields.disabled.read(draft.disabled) });
  } catch (error) {
    throw validationFailed([{ field: 'v', code: 'Invalid', message: String(error instanceof Error && error.message) }]);
  }
}

/** The object stands beside a list of `key=value` that was made for searching; older records have only the list. */
function tagsByKey(draft: Draft, _: Circumstances, tell: (what: string) => void): Draft {
  const { tagsObj, tags: said, ...others } = draft;
  if (isRecord(tagsObj)) return { ...others, tags: tagsObj };
  const tags = typeof said === 'string' ? [said] : said;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return { ...others, tags };
  if (tags.length === 0) return others;
  tell('tags: read from a list of key=value, so that all values are strings');
  return { ...others, tags: Object.fromEntries(tags.map(keyAndValue)) };
}

function keyAndValue(tag: string): [string, string] {
  const at = tag.indexOf('=');
  return at === -1 ? [tag, ''] : [tag.slice(0, at), tag.slice(at + 1)];
}

const lists = ['acl', 'billing_tags', 'channels', 'inherited_directories'];

function listsOfOne(draft: Draft): Draft {
  const single = lists.filter((name) => typeof draft[name] === 'string' && draft[name] !== '');
  return { ...draft, ...Object.fromEntries(single.map((name) => [name, [draft[name]]])) };
}

/** What is empty, clients are shown as absent. */
function withoutNothings(draft: Draft): Draft {
  const isNothing = (name: string, value: unknown) =>
    value === null ||
    value === undefined ||
    value === '' ||
    (name === 'inherited_directories' && Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(draft).filter(([name, value]) => !isNothing(name, value)));
}

const spelled: Record<string, (value: unknown) => unknown> = {
  min_ram: fields.image_size.read,
  max_ram: fields.image_size.read,
  ssh_key: fields.disabled.read,
};

function requirementsRead(draft: Draft): Draft {
  const { requirements } = draft;
  if (!isRecord(requirements)) return draft;
  const read = Object.entries(requirements).map(([name, value]) => [
    name,
    Object.hasOwn(spelled, name) ? spelled[name]?.(value) : value,
  ]);
  return { ...draft, requirements: Object.fromEntries(read) };
}

function withDefaults(draft: Draft, _: Circumstances, tell: (what: string) => void): Draft {
  if (draft.owner === undefined) tell(`owner: was absent, taken as nobody, ${UNSET_OWNER}`);
  if (draft.public === undefined) tell('public: was absent, taken as false');
  const error = typeof draft.error === 'string' ? { error: { message: draft.error } } : {};
  return { owner: UNSET_OWNER, public: false, ...draft, ...error };
}

/** State and flags say the same twice: whichever is there speaks for the other. */
function withState(draft: Draft, circumstances: Circumstances, tell: (what: string) => void): Draft {
  const flagged = fields.activated.read(draft.activated);
  const activated = flagged ?? isActivated(draft, circumstances);
  const disabled = fields.disabled.read(draft.disabled) ?? draft.state === 'disabled';
  const state = draft.state ?? (activated === true ? 'active' : 'unactivated');
  const isUnsaid = flagged === undefined && draft.state === undefined;
  if (isUnsaid) tell(`activated: nothing was said, taken as ${activated}`);
  return { ...draft, activated, disabled, state };
}

function isActivated({ state, published_at, files }: Draft, { unsaidState }: Circumstances): boolean {
  if (state !== undefined) return state === 'active' || state === 'disabled';
  const isPublished = published_at !== undefined && Array.isArray(files) && files.length > 0;
  return unsaidState === 'active' || isPublished;
}

function withDates(draft: Draft, { uploaded }: Circumstances, tell: (what: string) => void): Draft {
  const { expires_at, published_at, ...others } = draft;
  const published = readDate('published_at', published_at, tell);
  const expires = dateOf(expires_at);
  if (expires_at !== undefined && !expires) tell('expires_at: was no date, left out');
  const missing = published === undefined && draft.activated === true && uploaded !== undefined;
  if (missing) tell(`published_at: was absent, taken from its file: ${uploaded}`);
  return {
    ...others,
    ...(published !== undefined && { published_at: published }),
    ...(missing && { published_at: uploaded }),
    ...(expires && { expires_at: expires }),
  };
}

/** A date that can be had in one way only is spelled as manifests spell it; validation refuses the others. */
function readDate(field: string, value: unknown, tell: (what: string) => void): unknown {
  if (typeof value !== 'string' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(value)) return value;
  const date = dateOf(value);
  if (date) tell(`${field}: ${value} became ${date}`);
  return date ?? value;
}

const DATE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** As manifests spell dates; those without a zone are in UTC. Numbers are milliseconds. */
export function dateOf(value: unknown): string | undefined {
  if (typeof value !== 'number' && !(typeof value === 'string' && DATE.test(value))) return undefined;
  const hasZone = typeof value === 'number' || /(Z|[+-]\d\d:?\d\d)$/.test(value.slice(10));
  const date = new Date(hasZone ? value : `${value}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Says for whom an image is: to leave it out would show the image to everybody. */
const RESTRICTS = 'restricted_to_uuid';

function onlyKnown(draft: Draft, _: Circumstances, tell: (what: string) => void): Draft {
  const isKnown = (name: string) => fieldOf(name) !== undefined || name === 'expires_at' || name === RESTRICTS;
  const unknown = Object.keys(draft).filter((name) => !isKnown(name));
  if (unknown.length === 0) return draft;
  tell(`${unknown.join(', ').slice(0, 200)}: not of a manifest, left out`);
  return Object.fromEntries(Object.entries(draft).filter(([name]) => isKnown(name)));
}

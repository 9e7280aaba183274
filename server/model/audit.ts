import type { Head, Link, Seal, Signed } from '../../imgapi/audit-chain.js';
import type { Image } from '../../imgapi/image.js';
import { type Caller, isOperator, itself, nameOfCaller } from './caller.js';
import { placementOf, type RegisteredImage } from './registration.js';
import type { Named, Task } from './task.js';

export type Action = 'created' | 'changed' | 'deleted';

/** What a change did to one record. */
export interface Touched extends Named {
  /** Of pulls and refusals there is none. */
  action?: Action;
  /** Of what was changed: which of its fields. */
  fields?: readonly string[];
  /** Of an image: how many bytes the files have that it got. */
  bytes?: number;
  /** Whose administrators see it. */
  datacenters: readonly string[];
}

export interface Actor {
  name: string;
  kind: Caller['kind'] | 'system';
  uuid?: string;
  /** The name of the token that proved it. */
  token?: string;
}

/** Who does something, from where, and by what. */
export interface Occasion {
  who: Actor;
  from?: string;
  what: string;
  /** The id of the request. */
  request?: string;
}

export interface Content extends Occasion {
  /** Random, for those who are not to know how many others there are. */
  id: string;
  time: string;
  objects: Touched[];
  datacenters: string[];
  /** `done`, or what a refusal was called, or how a pull went. */
  result: string;
  /** How many of the same kind this stands for, where it is more than one. */
  count?: number;
  bytes?: number;
}

export type AuditEntry = Content & Link;

export const CHANGES = 'changes';

/** What is kept beside the changes: who pulled files, and what was refused. Each daemon has its own. */
export const accessesOf = (daemon: string) => `accesses-${daemon}`;

const DIGITS = 12;

export const entryId = ({ chain, seq }: Pick<Link, 'chain' | 'seq'>) => `${chain}/${String(seq).padStart(DIGITS, '0')}`;

export const auditEntries = {
  name: 'audit',
  id: (entry: AuditEntry) => entryId(entry),
  unique: ({ id }: AuditEntry) => [`id:${id}`],
  index: ({ time, who, objects, datacenters }: AuditEntry) => [
    `time:${time}`,
    `user:${who.name}/${time}`,
    ...new Set(objects.flatMap(({ id, name }) => [`object:${id}/${time}`, `object:${name}/${time}`])),
    ...datacenters.map((name) => `datacenter:${name}/${time}`),
  ],
};

export const auditHeads = { name: 'audit-heads', id: ({ chain }: Head) => chain };

export const auditSeals = { name: 'audit-seals', id: ({ chain, to }: Signed<Seal>) => entryId({ chain, seq: to }) };

/** The server itself. */
export const SYSTEM: Actor = { name: itself.name, kind: 'system' };

export function actorOf(caller: Caller, token?: string): Actor {
  const { kind, user } = caller;
  return {
    name: nameOfCaller(caller),
    kind,
    ...(user && { uuid: user.uuid }),
    ...(token !== undefined && { token }),
  };
}

/** What a task does, it does in the name of whoever wanted it. */
export const occasionOfTask = ({ id, what, who }: Task): Occasion => ({
  who: who.uuid === undefined && who.name === SYSTEM.name ? SYSTEM : { ...who, kind: 'user' },
  what: `task ${what}`,
  request: id,
});

/** How the server keeps its books: nobody changes these, they follow from what is changed. */
const bookkeeping: ReadonlySet<string> = new Set([
  'contents',
  'condemned',
  'clearances',
  'partials',
  'reservations',
  'usage',
  'audit',
  'audit-heads',
  'audit-seals',
  'callbacks',
  'webhook-states',
  'repository-images',
  'followed-images',
  'snapshot-uses',
  'snapshot-holds',
  'server-keys',
  'identity',
  'openid-used',
  'samples',
  'sampling',
  'busy-hours',
]);

/** What a write did to one record: new where there was nothing before, gone where there is nothing after. */
export interface Written {
  kind: string;
  id: string;
  before: object | undefined;
  after: object | undefined;
}

export function isNoted(written: Written): boolean {
  const { kind, before, after } = asSomebodyDid(written);
  return !bookkeeping.has(kind) && !isSame(kind, before, after);
}

/** What was found on nodes nobody has done: of machines counts what was registered, of images what is there for a task. */
function asSomebodyDid({ kind, before, after, ...written }: Written): Written {
  const of = (record: object | undefined, field: string) => (record as Fields | undefined)?.[field];
  if (kind === 'node-images' && of(before, 'task') === of(after, 'task'))
    return { ...written, kind, before, after: before };
  const isDone = (record: object | undefined) => kind !== 'vms' || !of(record, 'unregistered');
  return { ...written, kind, before: isDone(before) ? before : undefined, after: isDone(after) ? after : undefined };
}

type Fields = Readonly<Record<string, unknown>>;
interface Described {
  name?: string;
  id?: string;
  datacenters?: readonly string[];
}

/** Of what is attached to all data centers, those to come included. */
export const EVERYWHERE = '*';

/** What is not as in most kinds: a name of its own, and where its data centers stand. Hashes of secrets are no names. */
const described: Readonly<Record<string, (record: Fields) => Described>> = {
  images: (record) => {
    const image = record as Fields & Pick<Image, 'name' | 'public'> & Pick<RegisteredImage, 'registration'>;
    const { access, datacenters, global } = placementOf(image);
    return {
      name: image.registration?.name ?? image.name,
      datacenters: access === 'internal' ? [] : [...datacenters, ...(global ? [EVERYWHERE] : [])],
    };
  },
  datacenters: ({ name }) => ({ datacenters: [String(name)] }),
  vms: ({ hostname }) => ({ name: String(hostname) }),
  'node-statuses': ({ node }) => ({ name: String(node) }),
  tokens: ({ user, name }) => ({ id: `${user}/${name}` }),
  'callback-keys': () => ({ name: 'callback key' }),
  webhooks: ({ name }) => ({ name: String(name) }),
  'node-tokens': ({ node, name }) => ({ id: `${node}/${name}` }),
  'node-images': ({ node, pool, image }) => ({ id: `${node}/${pool}/${image}`, name: `${image} on ${node}` }),
  'campaign-nodes': ({ campaign, node }) => ({ id: `${campaign}/${node}`, name: `${node} of ${campaign}` }),
  sessions: ({ user, created }) => ({ id: `${user}/${created}`, name: 'session' }),
  tasks: ({ what }) => ({ name: String(what) }),
  uploads: ({ filename, image }) => ({ name: String(filename ?? image) }),
};

/** A record as the audit names it. */
export function describe(kind: string, id: string, record: object): Named & { datacenters: readonly string[] } {
  const fields = record as Fields;
  const own = described[kind]?.(fields) ?? {};
  return {
    kind,
    id: own.id ?? id,
    name: own.name ?? (typeof fields.name === 'string' ? fields.name : (own.id ?? id)),
    datacenters: own.datacenters ?? datacentersIn(fields),
  };
}

function datacentersIn({ datacenters, datacenter }: Fields): string[] {
  if (Array.isArray(datacenters)) return datacenters.map(String);
  return typeof datacenter === 'string' ? [datacenter] : [];
}

/** That something was used is no change of it; a task's progress is not either, and no part of what proves somebody. */
function isSame(kind: string, before: object | undefined, after: object | undefined): boolean {
  return before && after ? told(kind, before) === told(kind, after) : before === after;
}

function told(kind: string, record: object): string | undefined {
  const { lastUsed, ...rest } = record as Fields;
  if (kind === 'sessions') return JSON.stringify({ ...rest, expires: undefined });
  if (kind === 'uploads') return JSON.stringify(rest.attached ?? null);
  if (kind === 'vms') return JSON.stringify({ ...rest, found: undefined, elsewhere: undefined });
  if (kind === 'node-statuses') return JSON.stringify(rest.online);
  if (kind === 'campaign-nodes') return JSON.stringify([rest.state, rest.error]);
  if (kind === 'node-sources') return JSON.stringify([rest.state, rest.there, rest.error]);
  if (kind === 'node-images') return JSON.stringify([rest.state, rest.task]);
  return JSON.stringify(kind === 'tasks' ? rest.status : rest);
}

/** Of what a change has left, and of what was there before it. */
export function touched(written: Written): Touched {
  const { kind, id, before, after } = asSomebodyDid(written);
  const [old, fresh] = [before, after].map((record) => record && describe(kind, id, record));
  const { name, id: shown } = (fresh ?? old)!;
  const bytes = kind === 'images' ? bytesOfNewFiles(before, after) : 0;
  return {
    kind,
    id: shown,
    name,
    action: before ? (after ? 'changed' : 'deleted') : 'created',
    ...(before && after && { fields: changedFields(before as Fields, after as Fields) }),
    ...(bytes > 0 && { bytes }),
    datacenters: union([old?.datacenters ?? [], fresh?.datacenters ?? []]),
  };
}

function bytesOfNewFiles(before: object | undefined, after: object | undefined): number {
  const filesOf = (record: object | undefined) => (record as Pick<Image, 'files'> | undefined)?.files ?? [];
  const known = new Set(filesOf(before).map(({ sha1 }) => sha1));
  return filesOf(after).reduce((sum, { sha1, size }) => (known.has(sha1) ? sum : sum + size), 0);
}

/** When it was changed says the entry itself. */
const untold: ReadonlySet<string> = new Set(['changed', 'lastUsed']);

/** Their names alone: what stands in them may be secret. */
function changedFields(before: Fields, after: Fields): string[] {
  const [old, fresh] = [flat(before), flat(after)];
  return Object.keys({ ...old, ...fresh })
    .filter((name) => !untold.has(name) && JSON.stringify(old[name]) !== JSON.stringify(fresh[name]))
    .sort();
}

/** What management keeps of an image counts among its fields. */
const flat = ({ registration, ...fields }: Fields): Fields => ({ ...Object(registration), ...fields });

export const union = (all: readonly (readonly string[])[]): string[] => [...new Set(all.flat())].sort();

/** An entry as whoever asks may know it: nothing in it of what stands in data centers of others. */
export type SeenEntry = Omit<Content, 'objects'> & { objects: Touched[] } & Partial<Link>;

/** None where the caller is not to know of it. */
export function seenBy(caller: Caller, entry: AuditEntry): SeenEntry | undefined {
  if (isOperator(caller)) return entry;
  if (caller.kind !== 'user') return undefined;
  const { admin } = caller.rights;
  if (admin.size === 0) return undefined;
  const here = (names: readonly string[]) =>
    names.includes(EVERYWHERE) ? [...admin].sort() : names.filter((name) => admin.has(name));
  const objects = entry.objects.flatMap((object) => {
    const datacenters = here(object.datacenters);
    return datacenters.length > 0 ? [{ ...object, datacenters }] : [];
  });
  if (objects.length === 0) return undefined;
  // How many entries there are, and the hash over what is left out, are not for everybody.
  const { chain, seq, previous, hash, ...told } = entry;
  return { ...told, objects, datacenters: union(objects.map(({ datacenters }) => datacenters)) };
}

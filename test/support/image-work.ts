import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Random } from '../imgapi/random.js';
import type { Answer, Asker } from './ask.js';

/** So many images live at the same time, among so many clients that each have their own. */
const IMAGES = 40;
export const WORKERS = 6;

/** What a client knows of an image from the answers that it got. */
export interface Known {
  uuid: string;
  name: string;
  description: string;
  acl: string[];
  disabled: boolean;
  activated: boolean;
  /** Which of the contents; undefined where there is none. */
  file?: number | undefined;
  icon?: number | undefined;
}

/** What must be there, and what may be there instead because its change had no answer when the daemon died. */
export interface Entry {
  sure: Known | undefined;
  maybe: { after: Known | undefined } | undefined;
}

/** From a few bytes, in one piece, to more than a buffer holds. Few, so that images share them. */
export const contents = [3, 1000, 20_000, 70_000, 300_000, 1_500_000].map((size, n) =>
  Buffer.alloc(size, `content ${n}.`),
);
export const icons = [10, 5000, 60_000].map((size, n) => Buffer.alloc(size, `icon ${n}.`));

export const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');
export const digests = new Map([...contents, ...icons].map((bytes) => [bytes, sha1(bytes)]));

/** One step that a client may take with an image, as it is sent and as it leaves the image. */
export interface Step {
  method: string;
  path: string;
  options?: { body?: object | Readable | Buffer; headers?: Record<string, string> };
  after: Known | undefined;
}

type Steps = (known: Known, random: Random) => Step | undefined;

/** Without a length, and in pieces: a kill finds it half way. */
const streamed = (bytes: Buffer) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 64 << 10) yield bytes.subarray(at, at + (64 << 10));
    })(),
    { objectMode: false },
  );

const act = (known: Known, action: string, after: Known, body?: object): Step => ({
  method: 'POST',
  path: `/images/${known.uuid}?action=${action}`,
  ...(body && { options: { body } }),
  after,
});

const upload: Steps = (known, random) => {
  if (known.activated) return undefined;
  const file = random.below(contents.length);
  const bytes = contents[file]!;
  const body = random.chance(50) ? streamed(bytes) : bytes;
  const path = `/images/${known.uuid}/file?compression=none&sha1=${digests.get(bytes)}`;
  return { method: 'PUT', path, options: { body }, after: { ...known, file } };
};

const activate: Steps = (known) =>
  known.activated || known.file === undefined ? undefined : act(known, 'activate', { ...known, activated: true });

const update: Steps = (known, random) => {
  const description = `described ${random.below(1_000_000)}`;
  return act(known, 'update', { ...known, description }, { description });
};

const share: Steps = (known) => {
  const account = randomUUID();
  const after = { ...known, acl: [...known.acl, account] };
  return { method: 'POST', path: `/images/${known.uuid}/acl`, options: { body: [account] }, after };
};

const toggle: Steps = (known) =>
  act(known, known.disabled ? 'enable' : 'disable', { ...known, disabled: !known.disabled });

const putIcon: Steps = (known, random) => {
  const icon = random.below(icons.length);
  const options = { body: icons[icon]!, headers: { 'content-type': 'image/png' } };
  return { method: 'PUT', path: `/images/${known.uuid}/icon`, options, after: { ...known, icon } };
};

const deleteIcon: Steps = (known) =>
  known.icon === undefined
    ? undefined
    : { method: 'DELETE', path: `/images/${known.uuid}/icon`, after: { ...known, icon: undefined } };

const remove: Steps = (known) => ({ method: 'DELETE', path: `/images/${known.uuid}`, after: undefined });

/** The likelier, the more often it stands here. */
const steps = [upload, upload, upload, upload, activate, activate, update, share, toggle, putIcon, putIcon, deleteIcon];

/** An image that does not exist yet: by an import, since the uuid of a create is known from its answer only. */
export function born(random: Random): { known: Known; step: Step } {
  const uuid = randomUUID();
  const known: Known = {
    uuid,
    name: `image-${random.below(1_000_000)}`,
    description: 'new',
    acl: [],
    disabled: false,
    activated: false,
  };
  const { name, description } = known;
  const owner = '00000000-0000-0000-0000-000000000000';
  const body = { v: 2, uuid, owner, name, version: '1', type: 'other', os: 'other', public: true, description };
  return { known, step: { ...act(known, 'import', known), options: { body } } };
}

export function nextStep(entries: Map<string, Entry>, mine: string[], random: Random): { uuid: string; step: Step } {
  const living = mine.filter((uuid) => entries.get(uuid)?.sure);
  if (living.length < 2 || (living.length < IMAGES / WORKERS && random.chance(15))) {
    const { known, step } = born(random);
    mine.push(known.uuid);
    return { uuid: known.uuid, step };
  }
  for (;;) {
    const uuid = random.pick(living);
    const known = entries.get(uuid)!.sure!;
    const chosen = living.length >= IMAGES / WORKERS - 1 && random.chance(20) ? remove : random.pick(steps);
    const step = chosen(known, random);
    if (step) return { uuid, step };
  }
}

/** Of each change that had no answer, either state is right; which one it is, is asked once and must stay. */
export async function settle(daemon: Pick<Asker, 'ask'>, entries: Map<string, Entry>): Promise<number> {
  let happened = 0;
  for (const [uuid, entry] of [...entries]) {
    if (entry.maybe) {
      const { after } = entry.maybe;
      const found = await stateOf(daemon, uuid);
      if (isSame(found, after)) {
        entry.sure = after;
        happened += 1;
      }
      entry.maybe = undefined;
    }
    if (!entry.sure) entries.delete(uuid);
  }
  return happened;
}

const isSame = (found: unknown, known: Known | undefined) =>
  JSON.stringify(found) === JSON.stringify(known && visible(known));

/** An image as clients see it. */
export function visible({ uuid, name, description, acl, disabled, activated, file, icon }: Known) {
  const state = activated ? (disabled ? 'disabled' : 'active') : 'unactivated';
  const bytes = file === undefined ? undefined : contents[file]!;
  return {
    ...{ uuid, name, description, acl, state, disabled },
    files: bytes ? [{ sha1: digests.get(bytes), size: bytes.length, compression: 'none' }] : [],
    file: bytes ? digests.get(bytes) : 404,
    icon: icon === undefined ? 404 : digests.get(icons[icon]!),
  };
}

export async function stateOf(daemon: Pick<Asker, 'ask'>, uuid: string): Promise<object | undefined> {
  const path = `/images/${uuid}`;
  const [manifest, file, icon] = await Promise.all(
    [path, `${path}/file`, `${path}/icon`].map((asked) => daemon.ask('GET', asked)),
  );
  if (manifest?.status === 404) return undefined;
  const { name, description, acl = [], state, disabled, files } = manifest!.json;
  return {
    ...{ uuid, name, description, acl, state, disabled },
    files,
    file: served(file!),
    icon: served(icon!),
  };
}

const served = ({ status, bytes }: Answer) => (status === 200 ? sha1(bytes) : status);

import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog } from '../../storage/catalog.js';
import { isInHandsOf, type Partial, partials, takeIntoHands } from '../../storage/partials.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import { holderOf, type Upload, uploads } from '../model/upload.js';
import { endUpload } from './end-upload.js';
import { uploadToResume } from './upload-to-resume.js';

/**
 * An upload is in the hands of one of several daemons: it knows how far it has come, and nobody else writes to its
 * bytes. A part that comes to another daemon is waited with until the first has let go, which it is asked to.
 */
type Turning = Pick<Deps, 'catalog' | 'blobs' | 'uploads' | 'log'>;

/** Somebody wants to go on with an upload; what is being sent to it may be cut off. */
const WANTED = 'upload wanted';
/** It is not given: something is being sent. */
const BUSY = 'upload busy';
/** How far an upload has come, to be shown. */
const STANDING = 'upload standing';
/** To be told of all that are in anybody's hands. */
const ALL = 'uploads wanted';

/** What is told may be lost, in milliseconds. */
const AGAIN = 250;
const MOST_WAITING = 10_000;

type Wanted = { id: string; cutOff: boolean };

/** Waits until an upload is in the hands of this daemon. Afterwards it may have ended. */
export async function takeTurn(deps: Turning, upload: Upload, { cutOff }: { cutOff: boolean }): Promise<void> {
  const { members } = deps.catalog;
  if (members.only) return;
  const until = performance.now() + MOST_WAITING;
  for (let partial = await partialOf(deps.catalog, upload); partial; partial = await partialOf(deps.catalog, upload)) {
    if (isInHandsOf(members, partial)) return arrive(deps, upload);
    const { member } = partial;
    if (member === undefined || !members.isIn(member)) {
      await members.look();
      if (member === undefined || !members.isIn(member)) {
        await claim(deps, upload, partial);
        continue;
      }
    }
    if ((await asked(deps.catalog, upload, cutOff)) === 'busy') throw isBeingSent(upload);
    if (performance.now() > until) throw isBeingSent(upload);
  }
}

const isBeingSent = ({ id }: Upload) =>
  new ImgapiError('Busy', `something is being sent to upload ${id} already, by another daemon`);

const partialOf = (catalog: Catalog, upload: Pick<Upload, 'id'>) => catalog.get(partials, holderOf(upload));

/** Nobody else has it, or whoever has it is gone. */
function claim({ catalog }: Turning, upload: Upload, { member }: Partial): Promise<void> {
  return catalog.write(async (tx) => {
    const partial = await tx.get(partials, holderOf(upload));
    if (partial && partial.member === member) await takeIntoHands(tx, catalog.members, partial);
  });
}

/** Asks for it, and waits a moment for what comes of that. */
function asked(catalog: Catalog, upload: Upload, cutOff: boolean): Promise<'busy' | undefined> {
  const { members } = catalog;
  const holder = holderOf(upload);
  return new Promise((resolve) => {
    const end = (what?: 'busy') => {
      clearTimeout(timer);
      unfollow();
      unhear();
      leave();
      resolve(what);
    };
    const timer = setTimeout(end, AGAIN);
    const unfollow = catalog.follow(partials, (changes) => changes.some(({ id }) => id === holder) && end());
    const leave = members.follow(() => end());
    const unhear = members.hear(BUSY, (told) => Object(told).id === upload.id && end('busy'));
    members.tell(WANTED, { id: upload.id, cutOff } satisfies Wanted);
  });
}

/** Looks how far it has come, and keeps its room. */
async function arrive({ catalog, blobs, uploads: underWay, log }: Turning, upload: Upload) {
  await underWay.once(upload, async () => {
    const current = await uploadToResume(catalog, upload.id);
    if (!current) return;
    const image = await catalog.get(images, current.image);
    const staged = await blobs.resume(current.key);
    if (!image || !staged) {
      log.warn({ upload: upload.id, image: upload.image }, 'an upload has lost its image or its bytes: it has ended');
      await staged?.suspend();
      await endUpload({ catalog, blobs, uploads: underWay }, current);
      return;
    }
    await staged.suspend();
    underWay.add(current, staged.kept);
  });
}

/**
 * After a start: what was under way was within its limits when it began. From now on others are given what they go on
 * with. Returns the way to let go of all.
 */
export async function reopenUploads(deps: Turning): Promise<() => Promise<void>> {
  const { catalog, uploads: underWay } = deps;
  const { members } = catalog;
  if (members.only) {
    for await (const upload of catalog.list(uploads)) if (!upload.attached) await arrive(deps, upload);
    return async () => {};
  }
  let self = members.self.id;
  let working = Promise.resolve();
  const next = (what: string, work: () => Promise<void>) => {
    working = working.then(work).catch((err: unknown) => deps.log.warn({ err }, what));
  };
  const stops = [
    members.hear(WANTED, (told, from) =>
      next('an upload could not be given to another daemon', () => give(deps, told as Wanted, from)),
    ),
    members.hear(STANDING, (told) => underWay.hear(told as Parameters<typeof underWay.hear>[0])),
    members.hear(ALL, () => underWay.tellAll()),
    catalog.follow(uploads, (changes) => {
      for (const { id, record } of changes) if (!record || record.attached) underWay.forgetTold({ id });
    }),
    members.follow(() => {
      // Who was out is another now, and has nothing in its hands.
      if (members.self.id !== self) next('uploads could not be let go of', () => underWay.forgetAll());
      self = members.self.id;
      if (members.isFirst()) next('uploads of a daemon that is gone could not be taken over', () => adopt(deps));
    }),
  ];
  underWay.tell = (standing) => members.tell(STANDING, standing);
  members.tell(ALL, {});
  if (members.isFirst()) await adopt(deps);
  return async () => {
    for (const stop of stops) stop();
    await working;
    for (const id of underWay.ids()) {
      // what can not be let go of is taken from us when we are gone
      await underWay.leave({ id }, () => letGo(deps, { id }, undefined)).catch(() => {});
    }
  };
}

/** Those of daemons that are gone: their room is kept again, and what has lost its bytes ends. */
async function adopt(deps: Turning): Promise<void> {
  const { members } = deps.catalog;
  await members.look();
  for await (const upload of deps.catalog.list(uploads)) {
    if (upload.attached) continue;
    const partial = await partialOf(deps.catalog, upload);
    if (!partial) continue;
    const isElsewhere = !isInHandsOf(members, partial) && partial.member !== undefined && members.isIn(partial.member);
    if (!isElsewhere) await takeTurn(deps, upload, { cutOff: false });
  }
}

async function give(deps: Turning, { id, cutOff }: Wanted, to: string): Promise<void> {
  const { catalog, uploads: underWay } = deps;
  const partial = await partialOf(catalog, { id });
  if (!partial || !isInHandsOf(catalog.members, partial)) return;
  if (underWay.isBusy({ id }) && !cutOff) {
    catalog.members.tell(BUSY, { id });
    return;
  }
  await underWay.leave({ id }, () => letGo(deps, { id }, to));
}

function letGo({ catalog }: Turning, upload: Pick<Upload, 'id'>, to: string | undefined): Promise<void> {
  return catalog.write(async (tx) => {
    const partial = await tx.get(partials, holderOf(upload));
    if (!partial || !isInHandsOf(catalog.members, partial)) return;
    const { member: _, ...free } = partial;
    await tx.replace(partials, { ...free, ...(to !== undefined && { member: to }) });
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing, Unreachable } from '../imgapi/exchange-errors.js';
import type { ResumedBlob, StagedBlob } from './blobs.js';
import type { Tx } from './catalog.js';
import { checkStored } from './check-stored.js';
import type { Arrival, Stores } from './holdings.js';
import { GivenReadable } from './lent-readable.js';
import { inHandsOf, type Partial, partials, takeIntoHands } from './partials.js';
import type { RemoteFile } from './sources.js';
import { type Content, type TransferOptions, TransferRefused, transfer } from './transfer.js';

export interface ReceiveOptions extends TransferOptions {
  signal: AbortSignal;
  /** Milliseconds to wait before it is tried again, and so how often: counted anew when enough has come in between. */
  pauses?: readonly number[];
  /** A source that sends less in so many milliseconds, waited for, has failed. */
  crawl?: { bytes: number; within: number };
}

/** Committed, and in no record but a partial. */
export interface Received extends Arrival {
  content: Content;
}

const PAUSES = [500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000];
const CRAWL = { bytes: 16 << 10, within: 60_000 };
/** When so much has come, the source works. */
const PROGRESS = 1 << 20;

/**
 * A remote file into the store, over as many connections as it takes. What has come stays for the next call with the same
 * holder, also after a crash, until `settle` or `giveUp`; it is gone on with where the source still has the same file.
 * What the source delivered, but is not what was promised, is thrown away.
 */
export async function receive(
  stores: Stores,
  holder: string,
  file: RemoteFile,
  options: ReceiveOptions,
): Promise<Received> {
  const { signal, pauses = PAUSES } = options;
  for (let again = 0; ; again += 1) {
    const { staged, mark, isTorn } = await begin(stores, holder, options);
    const kept = 'kept' in staged ? staged.kept : 0;
    const remember = (found: string) => note(stores, holder, found);
    const chunks = both(staged, pulled(file, { from: kept, mark, remember }, options));
    try {
      const content = await transfer(new GivenReadable(chunks), { ...lasting(staged), key: staged.key }, options);
      if (isTorn) await checkStored(stores.blobs, staged.key, content, { signal });
      return { key: staged.key, content };
    } catch (error) {
      const isSpoilt = error instanceof StartsAgain || error instanceof TransferRefused;
      if (!isSpoilt) throw error;
      await giveUp(stores, holder);
      // What was kept may have been of another file, or harmed by a power cut: that is no fault of the source.
      if (kept === 0 && !isTorn && !(error instanceof StartsAgain)) throw error;
      const pause = pauses[again];
      if (pause === undefined)
        throw new Unreachable(`${file.what} is cut again and again, and can not be gone on with`, {});
      await sleep(pause, undefined, { signal });
    }
  }
}

/** Throws away what has come for a holder, if anything has. */
export async function giveUp({ catalog, blobs }: Stores, holder: string): Promise<void> {
  const partial = await catalog.write(async (tx) => {
    const found = await tx.get(partials, holder);
    if (found) await tx.delete(partials, holder);
    return found;
  });
  if (partial) await blobs.delete(partial.key);
}

/** In the write that publishes what has come. */
export async function settle(tx: Tx, holder: string): Promise<void> {
  if (await tx.get(partials, holder)) await tx.delete(partials, holder);
}

/** Without a promised digest nobody could tell whether what was kept and what follows belong together. */
const isProvable = ({ expect = {} }: TransferOptions) =>
  expect.sha256 !== undefined || expect.sha1 !== undefined || expect.md5 !== undefined;

async function begin(
  stores: Stores,
  holder: string,
  options: TransferOptions,
): Promise<{ staged: StagedBlob | ResumedBlob } & Pick<Partial, 'mark' | 'isTorn'>> {
  const { catalog, blobs } = stores;
  const partial = await partialOf(stores, holder);
  if (partial && isProvable(options)) {
    const staged = await blobs.resume(partial.key);
    const fits = staged && staged.kept <= (options.expect?.size ?? Number.POSITIVE_INFINITY);
    const { mark, isTorn } = partial;
    if (fits) return { staged, ...(mark !== undefined && { mark }), ...(isTorn && { isTorn }) };
    await staged?.discard();
  }
  if (partial) await giveUp(stores, holder);
  const staged = await blobs.stage();
  await catalog.write((tx) => tx.insert(partials, { holder, key: staged.key, ...inHandsOf(catalog.members) }));
  return { staged };
}

/**
 * Who asks for it is the one to go on with it, whoever has begun it. Where there are several daemons a write tells: bytes
 * that are published in the meantime, of which a read may not know yet, would be lost by being taken up again.
 */
async function partialOf({ catalog }: Stores, holder: string): Promise<Partial | undefined> {
  const { members } = catalog;
  if (members.only) return catalog.get(partials, holder);
  return catalog.write(async (tx) => {
    const current = await tx.get(partials, holder);
    return current && takeIntoHands(tx, members, current);
  });
}

async function note({ catalog }: Stores, holder: string, mark: string): Promise<void> {
  await catalog.write(async (tx) => {
    const partial = await tx.get(partials, holder);
    if (partial) await tx.replace(partials, { ...partial, mark });
  });
}

/** What is not finished is kept: whether it is thrown away is decided here, not by the transfer that was cut short. */
export function lasting(staged: StagedBlob): Pick<StagedBlob, 'writable' | 'commit' | 'discard' | 'suspend'> {
  const { writable } = staged;
  return {
    writable,
    commit: () => staged.commit(),
    discard: () => staged.suspend(),
    suspend: () => staged.suspend(),
  };
}

/** What is there is lent, and so copied; what comes is not. */
async function* both(staged: StagedBlob | ResumedBlob, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if ('read' in staged) for await (const chunk of staged.read()) yield Buffer.from(chunk);
  yield* rest;
}

interface From {
  from: number;
  mark: string | undefined;
  remember(mark: string): Promise<void>;
}

/** The bytes of a file from one on, going on where a connection broke. */
async function* pulled(
  file: RemoteFile,
  { from, mark, remember }: From,
  options: ReceiveOptions,
): AsyncGenerator<Uint8Array> {
  const { signal, expect = {}, pauses = PAUSES } = options;
  let position = from;
  let known = mark;
  let failed = 0;
  let lastFailure = from;
  while (expect.size === undefined || position < expect.size) {
    try {
      const opened = await file.open({ from: position, mark: known }, signal);
      try {
        if (opened.from !== position) throw new StartsAgain();
        const size = expect.size ?? opened.size;
        if (opened.size !== undefined && expect.size !== undefined && opened.size !== expect.size) {
          throw new TransferRefused('size', expect.size, opened.size);
        }
        if (known === undefined && opened.mark !== undefined) {
          known = opened.mark;
          await remember(known);
        }
        for await (const chunk of watched(opened.body, file, options)) {
          position += chunk.length;
          yield chunk;
        }
        if (size === undefined || position >= size) return;
        throw new Unreachable(`${file.what} ended after ${position} of ${size} bytes`, {});
      } finally {
        opened.body.destroy();
      }
    } catch (error) {
      if (signal.aborted) throw error;
      if (position - lastFailure >= PROGRESS) failed = 0;
      lastFailure = position;
      const pause = pauses[failed];
      if (!isPassing(error) || pause === undefined) throw error;
      failed += 1;
      await sleep(pause, undefined, { signal });
    }
  }
}

/** Fails where the source crawls. Only time that is spent waiting for it counts. */
export async function* watched(
  body: AsyncIterable<Uint8Array>,
  { what }: Pick<RemoteFile, 'what'>,
  { crawl = CRAWL }: Pick<ReceiveOptions, 'crawl'> = {},
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  let waited = 0;
  let came = 0;
  for (;;) {
    const asked = performance.now();
    const { done, value } = await chunks.next();
    if (done) return;
    waited += performance.now() - asked;
    came += value.length;
    if (waited >= crawl.within) {
      if (came < crawl.bytes)
        throw new Unreachable(`${what} has sent only ${came} bytes in ${crawl.within / 1000} s`, {});
      waited = 0;
      came = 0;
    }
    yield value;
  }
}

/** The source has another file by now, or can only send it from its beginning. */
class StartsAgain extends Error {
  override name = 'StartsAgain';
}

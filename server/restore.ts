import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { BadBackup, type Restored, type Restoring, restore } from '../storage/backup.js';
import { replaceFile, syncDirectory } from '../storage/durable.js';
import { openBlobs, openCatalog } from '../storage/open.js';
import { BadTar } from '../storage/tar.js';
import { OperatorMistake } from './model/operator-mistake.js';
import { SEALED } from './operations/back-up.js';
import { isBeside, isSecretBeside } from './operations/beside.js';
import { openWith, WrongPassphrase } from './operations/passphrase.js';
import { untilSignal } from './signals.js';

/** Not whole yet: nothing of it counts. */
const COMING = 'restoring';
/** Whole: what is in it belongs one level up. */
const WHOLE = 'restored';

const EVERY = 5000;
const DASH = '-';

export interface RestoreWish {
  /** A file, or `-` for standard input. */
  from: string;
  /** The file that holds the passphrase. */
  passphraseFile?: string | undefined;
}

/**
 * What an earlier start has restored is put in its place, however that start ended. One that was cut off before all had
 * come has left nothing that could be used: only another restore goes on from there.
 */
export async function finishRestore(data: string, wish: RestoreWish | undefined): Promise<void> {
  const names = await readdir(data);
  if (names.includes(WHOLE)) await moveUp(data);
  else if (names.includes(COMING) && !wish) {
    throw new OperatorMistake(
      `a restore into ${data} was cut off: start again with --restore FILE, which begins anew, or remove ${join(data, COMING)}`,
    );
  }
}

/** Into a data directory that is locked and otherwise empty: all of the backup, or nothing. */
export async function restoreFirst(wish: RestoreWish, data: string, log: Logger): Promise<void> {
  await checkEmpty(data);
  const passphrase = await passphraseIn(wish);
  const lastWords =
    'The restore was interrupted: nothing of it counts. Start again with --restore, and it begins anew.';
  const restored = await untilSignal((signal) => restoreAside({ wish, data, passphrase, signal, log }), lastWords);
  await rename(join(data, COMING), join(data, WHOLE));
  await syncDirectory(data);
  await moveUp(data);
  if (restored.unreadable.length > 0) {
    const lost = restored.unreadable.slice(0, 10);
    log.warn({ lost, count: restored.unreadable.length }, 'the server had lost these contents before it was backed up');
  }
  const { created, server, contents, bytes } = restored;
  console.log(`Restored what a Slipway ${server} kept at ${created}: ${contents} contents, ${bytes} bytes.\n`);
}

async function checkEmpty(data: string): Promise<void> {
  const there = (await readdir(data)).filter((name) => name !== COMING && !/^slipway-.*\.lock$/.test(name));
  if (there.length === 0) return;
  const shown = there.slice(0, 5).join(', ') + (there.length > 5 ? ' …' : '');
  throw new OperatorMistake(
    `--restore needs a data directory that is empty, and ${data} holds ${shown}: choose another with --data, or start without --restore`,
  );
}

async function passphraseIn({ passphraseFile }: RestoreWish): Promise<string | undefined> {
  if (passphraseFile === undefined) return undefined;
  try {
    return (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new OperatorMistake(`--restore-passphrase ${passphraseFile}: ${wordsOf(cause)}`, { cause });
  }
}

interface Course {
  wish: RestoreWish;
  data: string;
  passphrase: string | undefined;
  signal: AbortSignal;
  log: Logger;
}

async function restoreAside({ wish: { from }, data, passphrase, signal, log }: Course): Promise<Restored> {
  const source = await sourceOf(from);
  const aside = join(data, COMING);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { mode: 0o700 });
  log.info({ from }, 'restoring');
  const stop = () => source.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const restored = await intoStores(aside, (stores) => {
      const report = reporting(log);
      return restore(source, { ...stores, keep: keeper(aside, passphrase), signal, report });
    });
    await syncDirectory(aside);
    return restored;
  } catch (error) {
    source.destroy();
    await rm(aside, { recursive: true, force: true });
    signal.throwIfAborted();
    throw isOfTheBackup(error) ? notRestored(from, error) : error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function sourceOf(from: string): Promise<Readable> {
  if (from === DASH) return process.stdin;
  try {
    return (await open(from)).createReadStream({ highWaterMark: 512 << 10 });
  } catch (cause) {
    throw notRestored(from, cause);
  }
}

async function intoStores<R>(aside: string, work: (stores: Pick<Restoring, 'catalog' | 'blobs'>) => Promise<R>) {
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(aside, 'catalog') });
  try {
    const blobs = await openBlobs({ kind: 'filesystem', directory: join(aside, 'files') });
    try {
      return await work({ catalog, blobs });
    } finally {
      await blobs.close();
    }
  } finally {
    await catalog.close();
  }
}

/** What lay beside the stores is written where it was; what is secret only for those who know the passphrase. */
const keeper =
  (aside: string, passphrase: string | undefined): Restoring['keep'] =>
  async (name, bytes) => {
    if (name === SEALED && passphrase === undefined) return;
    const isSealed = name === SEALED && passphrase !== undefined;
    const files = isSealed ? secretsIn(await openWith(passphrase, bytes)) : new Map([[name, bytes]]);
    const mayBe = isSealed ? isSecretBeside : isBeside;
    for (const [file, content] of files) {
      if (!mayBe(file)) throw new BadBackup(`the backup holds ${JSON.stringify(file)}, which has no place in a server`);
      await writeBeside(aside, file, content);
    }
  };

async function writeBeside(aside: string, name: string, content: Buffer): Promise<void> {
  const path = join(aside, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, content);
}

const secretsIn = (bytes: Buffer) =>
  new Map(
    Object.entries<string>(JSON.parse(bytes.toString())).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
  );

/** Each move is one step, and what is left of them is done by the next start. */
async function moveUp(data: string): Promise<void> {
  const whole = join(data, WHOLE);
  for (const name of await readdir(whole)) await rename(join(whole, name), join(data, name));
  await syncDirectory(data);
  await rmdir(whole);
  await syncDirectory(data);
}

function reporting(log: Logger): NonNullable<Restoring['report']> {
  let told = Date.now();
  return ({ bytes, of }) => {
    if (Date.now() - told < EVERY) return;
    told = Date.now();
    log.info({ bytes, of }, 'restoring');
  };
}

const isOfTheBackup = (error: unknown) =>
  error instanceof BadBackup ||
  error instanceof BadTar ||
  error instanceof WrongPassphrase ||
  (error instanceof Error && 'syscall' in error);

const notRestored = (from: string, cause: unknown) =>
  new OperatorMistake(`--restore ${from}: ${wordsOf(cause)}; nothing was restored`, { cause });

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

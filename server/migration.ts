import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ImgapiError } from '../imgapi/errors.js';
import type { BlobStore } from '../storage/blobs.js';
import type { Catalog, Change, Reader } from '../storage/catalog.js';
import { replaceFile } from '../storage/durable.js';
import { contents } from '../storage/holdings.js';
import { moveContents, movePartials, moveRecords } from '../storage/move.js';
import { hasMoved, MOVED_TO } from './check-moved.js';
import type { Settings } from './config/settings.js';
import { checkAlone, markMove } from './mark-move.js';
import { beginJourney, forgetJourney, type Journey, readJourney, VerifiedFile } from './migration-journal.js';
import {
  canNot,
  checkTarget,
  type OpenTarget,
  openTargetFiles,
  openTargetRecords,
  readTarget,
  type Target,
} from './migration-target.js';
import { MOVE, type Move, moves } from './model/move.js';
import type { Beside } from './operations/beside.js';
import { ensureIdentity } from './operations/ensure-identity.js';
import { type Migration, type MigrationStatus, noStatus } from './operations/migration.js';
import { Seals } from './sealing/seals.js';
import { shareServerKey } from './sealing/server-keys.js';
import type { WriteGate } from './write-gate.js';

export interface MigrationMeans {
  settings: Settings;
  /** In which the configuration of where it goes is read, too. */
  env: NodeJS.ProcessEnv;
  version: string;
  /** As they are, with nobody in between. */
  catalog: Catalog;
  blobs: BlobStore;
  gate: WriteGate;
  /** As it is now: it is made when it is first needed. */
  secretsKey: () => Buffer | undefined;
  beside: () => Beside;
  /** In PEM. */
  keys: Readonly<Record<'audit' | 'node', string>>;
  /** Ends what works in the background, and writes down what is only in memory. */
  settle(): Promise<void>;
  /** Nothing is written any more: whoever works on bytes lets go of them. */
  letGo(): Promise<void>;
  /** The daemon stops; with an error where that was not meant to be. */
  leave(error?: unknown): void;
  log: Logger;
  now: () => Date;
}

/** Whoever asks learns what has become of the move, before the server stops: in milliseconds. */
const LAST_WORDS = 10_000;
const AFTER_LAST_WORDS = 300;

/** A daemon that is coming back writes as soon as it is in: tried so often, in milliseconds. */
const UNTIL_IN = 100;

/** So often it is looked again for what has come meanwhile, before nothing may be written any more. */
const ROUNDS = 2;

/**
 * Takes the running server to the stores of another configuration. Bytes go first, while it serves; then it writes
 * nothing any more, what has come meanwhile follows with the records, and it stops. Until its very last step it may be
 * killed, and is what it was.
 */
export class ServerMigration implements Migration {
  #status: MigrationStatus = noStatus;
  #aborting: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #leaving: NodeJS.Timeout | undefined;
  /** Why it leaves, where that was not meant to be. */
  #cause: unknown;
  #isHeard = false;
  #isClosed = false;
  #stopHearing: () => void = () => {};

  private constructor(private readonly means: MigrationMeans) {}

  static async open(means: MigrationMeans): Promise<ServerMigration> {
    const migration = new ServerMigration(means);
    migration.#stopHearing = means.catalog.follow(moves, (changes) => migration.#hear(changes));
    const left = await readJourney(means.settings.data);
    if (left) migration.#status = { ...noStatus, status: 'interrupted', config: left.config, started: left.started };
    return migration;
  }

  status(): MigrationStatus {
    if (this.#leaving && !this.#isHeard) {
      this.#isHeard = true;
      this.#leave(AFTER_LAST_WORDS);
    }
    return this.#status;
  }

  async start(config: string): Promise<void> {
    if (this.#aborting) throw canNot(`the server is on its way to ${this.#status.config} already`);
    if (this.#leaving) throw canNot('the server is about to stop: start it again first');
    const aborting = new AbortController();
    this.#aborting = aborting;
    try {
      await this.#begin(config, aborting.signal);
    } catch (error) {
      this.#aborting = undefined;
      throw error;
    }
  }

  async abort(): Promise<void> {
    const { status } = this.#status;
    if (status === 'finishing' || status === 'moved') {
      throw new ImgapiError('Busy', 'the last step has begun: it can not be taken back here');
    }
    this.#aborting?.abort(new Aborted());
    await this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopHearing();
    this.#aborting?.abort(new Aborted());
    await this.#running;
    clearTimeout(this.#leaving);
  }

  /** What can be refused is refused before anything is copied. */
  async #begin(config: string, signal: AbortSignal): Promise<void> {
    const { settings, secretsKey, catalog, now, log } = this.means;
    const target = readTarget(config, this.means.env);
    checkTarget(settings, secretsKey(), target);
    checkAlone(catalog);
    const identity = await ensureIdentity(catalog);
    const opened = await openTargetFiles(settings, target, identity).catch(told);
    try {
      const arriving = { identity, log, version: this.means.version };
      await (await openTargetRecords(target, arriving).catch(told)).catalog.close();
      const journey = await beginJourney(settings.data, config, now());
      const verified = await VerifiedFile.open(settings.data);
      this.#status = { ...noStatus, status: 'copying', config, started: journey.started };
      log.info({ config }, 'moving to another configuration');
      this.#running = this.#perform({ target, journey, identity, opened, verified, signal })
        .catch((error: unknown) => this.#failed(error))
        .finally(async () => {
          await verified.close().catch(() => {}); // what is lost there is read once more
          await opened.close().catch(() => {}); // what counts is there already
          this.#aborting = undefined;
        });
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async #perform(course: Course): Promise<void> {
    const { settings, catalog, gate, log } = this.means;
    for (let round = 0; round < ROUNDS; round += 1) await this.#copy(catalog, course);
    course.signal.throwIfAborted();
    this.#status = { ...this.#status, status: 'finishing' };
    log.info('moving: nothing is written from now on');
    await this.means.settle();
    gate.close('the server is moving: try again when it is back');
    await this.means.letGo();
    const records = await this.#finish(course);
    this.#status = { ...this.#status, status: 'moved', records };
    const { unreadable } = this.#status;
    log.info({ config: course.journey.config, records, unreadable }, 'moved: start the daemon with that configuration');
    this.#leave(LAST_WORDS);
    const text = `This server has moved: start it with --config ${course.journey.config}\n`;
    const noted = (err: unknown) => log.warn({ err }, 'moved, but DATA does not tell so');
    await replaceFile(join(settings.data, MOVED_TO), text).catch(noted);
    await forgetJourney(settings.data).catch(noted);
  }

  /** All that is written stands still. */
  async #finish(course: Course): Promise<number> {
    const { settings, secretsKey, catalog, blobs } = this.means;
    const { target, journey, identity, opened } = course;
    checkTarget(settings, secretsKey(), target); // the key may have been made since the beginning
    // Behind all writes that had begun.
    await this.#mark(journey, 'leaving');
    const snapshot = await catalog.snapshot();
    try {
      await this.#copy(snapshot, course);
      await movePartials(snapshot, blobs, opened.blobs);
      const { log, version } = this.means;
      const there = await openTargetRecords(target, { identity, log, version });
      let records: number;
      try {
        records = await moveRecords(snapshot, there.catalog, course.signal);
        await this.#bring(target, there.catalog);
      } finally {
        await there.catalog.close();
      }
      await there.arrive();
      await this.#mark(journey, 'left');
      return records;
    } catch (error) {
      await this.#unmark().catch(() => {}); // the next start does
      throw error;
    } finally {
      await snapshot.close();
    }
  }

  async #copy(reader: Reader, { opened, verified, signal }: Course): Promise<void> {
    const total = { contents: 0, bytes: 0 };
    for await (const { size } of reader.list(contents)) {
      total.contents += 1;
      total.bytes += size;
    }
    this.#status = { ...this.#status, contents_total: total.contents, bytes_total: total.bytes };
    const unreadable = await moveContents({
      from: { reader, blobs: this.means.blobs },
      to: opened.blobs,
      verified,
      signal,
      report: (moved) => {
        this.#status = { ...this.#status, ...moved };
      },
    });
    this.#status = { ...this.#status, ...total, unreadable };
  }

  /** What lies beside the stores: keys of people and of the server. */
  async #bring({ settings: to, secretsKey }: Target, there: Catalog): Promise<void> {
    const { settings, beside, keys, now } = this.means;
    const own = this.means.secretsKey();
    if (to.data !== settings.data) {
      const files = new Map([...(await beside().open()), ...(await beside().secret())]);
      const head = await readFile(join(settings.data, 'audit-head')).catch(() => undefined);
      if (head) files.set('audit-head', head);
      files.delete('secrets-key');
      for (const [name, bytes] of files) await keep(to.data, name, bytes);
    }
    if (secretsKey.make && own) await keep(to.data, 'secrets-key', `${own.toString('base64')}\n`);
    if (to.database === undefined) {
      await keep(to.data, 'audit-key', keys.audit);
      await keep(to.data, 'node-key', keys.node);
      return;
    }
    const stores = { catalog: there, seals: new Seals(secretsKey), now };
    for (const name of ['audit', 'node'] as const) await shareServerKey(stores, name, async () => keys[name]);
  }

  #mark({ config }: Journey, state: Move['state']): Promise<void> {
    const { catalog, now } = this.means;
    return markMove(catalog, { id: MOVE, state, to: config, at: now().toISOString() });
  }

  #unmark(): Promise<void> {
    return this.means.catalog.write(async (tx) => {
      // What has been left stays so, whoever writes late.
      if ((await tx.get(moves, MOVE))?.state === 'leaving') await tx.delete(moves, MOVE);
    });
  }

  /** What a daemon that comes back between the two marks owes to the others: the mover is to know that it was there. */
  async #unmarkWhenIn(): Promise<void> {
    while (!this.#isClosed) {
      const isDone = await this.#unmark().then(
        () => true,
        () => false,
      );
      if (isDone) return;
      await pause(UNTIL_IN, undefined, { ref: false });
    }
  }

  #failed(error: unknown): void {
    const { log } = this.means;
    const wasFinishing = this.#status.status === 'finishing';
    const isAborted = error instanceof Aborted;
    const said = error instanceof Error ? error.message : String(error);
    this.#status = { ...this.#status, status: isAborted ? 'aborted' : 'failed', error: isAborted ? null : said };
    if (isAborted) log.info('the move was ended; what was copied is kept for the next time');
    else log.error({ err: error }, 'the move has failed; what was copied is kept for the next time');
    // What works in the background has ended for it: a start brings it back.
    if (wasFinishing && !isAborted) this.#leave(LAST_WORDS, error);
  }

  /** A daemon that was out of touch while another one moved the server is told when it is back, before it answers. */
  #hear(changes: Change<Move>[]): void {
    if (this.#status.status === 'finishing' || this.#status.status === 'moved') return;
    const { gate, log, leave } = this.means;
    const move = changes.at(-1)?.record;
    if (move?.state === 'leaving') void this.#unmarkWhenIn();
    if (move?.state !== 'left') return;
    const error = hasMoved(move);
    gate.end('the server has moved');
    log.error(error.message);
    leave(error);
  }

  #leave(after: number, error = this.#cause): void {
    this.#cause = error;
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.means.leave(error), after);
  }
}

interface Course {
  target: Target;
  journey: Journey;
  identity: string;
  opened: OpenTarget;
  verified: VerifiedFile;
  signal: AbortSignal;
}

class Aborted extends Error {
  override name = 'Aborted';
}

/** Whoever asks can mend it, and is told how. */
function told(error: unknown): never {
  throw error instanceof ImgapiError ? error : canNot(error instanceof Error ? error.message : String(error));
}

async function keep(data: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(data, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, content);
}

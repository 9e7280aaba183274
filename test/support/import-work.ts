import { createHash, randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { Random } from '../imgapi/random.js';
import { type Daemon, startDaemon } from './daemon.js';

/** Images of another server, in bytes. */
const SIZES = [300_000, 2_000_000, 5_000_000];

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

/** An import that was answered, and whether somebody has tried to cancel it. */
interface Begun {
  uuid: string;
  isCancelled: boolean;
}

/** A client that imports images of another server, cancels that, and deletes them, until the daemon dies. */
export class ImportWork {
  /** Those that are here, with the digests of their files. */
  readonly whole = new Map<string, string>();
  readonly #begun = new Map<string, Begun>();
  acknowledged = 0;
  succeeded = 0;
  cancelled = 0;

  /** With another server, whose images are there to be imported; the second one builds on the first. */
  static async start(t: ExecutionContext, random: Random): Promise<ImportWork> {
    const source = await startDaemon(t, { config: { mode: 'public', authType: 'none' } });
    const theirs = new Map<string, string>();
    const owner = '00000000-0000-0000-0000-000000000000';
    let origin: string | undefined;
    for (const size of SIZES) {
      const body = { name: 'theirs', version: `${size}`, type: 'other', os: 'other', public: true, owner, origin };
      const { uuid } = (await source.ask('POST', '/images', { body })).json;
      const bytes = randomBytes(size);
      await source.ask('PUT', `/images/${uuid}/file?compression=none`, { body: bytes });
      await source.ask('POST', `/images/${uuid}?action=activate`);
      theirs.set(uuid, sha1(bytes));
      origin ??= uuid;
    }
    return new ImportWork(random, source.url, theirs);
  }

  private constructor(
    private readonly random: Random,
    private readonly source: string,
    /** All that can be imported. */
    private readonly theirs: ReadonlyMap<string, string>,
  ) {}

  /** One call; resolves with whether it was answered. */
  async step(t: ExecutionContext, daemon: Daemon): Promise<boolean> {
    const uuid = this.random.pick([...this.theirs.keys()]);
    const [running] = [...this.#begun].filter(([, begun]) => begun.uuid === uuid && !begun.isCancelled).slice(-1);
    if (running && this.random.chance(20)) return this.#cancel(daemon, ...running);
    if (this.random.chance(40)) {
      const answer = await daemon.ask('DELETE', `/images/${uuid}`).catch(() => undefined);
      return answer !== undefined;
    }
    const path = `/images/${uuid}?action=import-remote&source=${this.source}`;
    const answer = await daemon.ask('POST', path).catch(() => undefined);
    if (!answer) return false;
    if (answer.status === 200) {
      this.#begun.set(String(answer.json.job_uuid), { uuid, isCancelled: false });
      this.acknowledged += 1;
      // An origin that is still on its way, or the image itself, is here already in a manner of speaking.
    } else t.true([409, 422].includes(answer.status), `${path}: ${answer.bytes}`);
    return true;
  }

  async #cancel(daemon: Daemon, task: string, begun: Begun): Promise<boolean> {
    begun.isCancelled = true;
    const answer = await daemon.ask('PUT', `/api/task/${task}/cancel`, { as: 'admin' }).catch(() => undefined);
    return answer !== undefined;
  }

  /** Every import ends, and what it was for is here as a whole, or not at all. */
  async checkServed(t: ExecutionContext, daemon: Daemon): Promise<void> {
    for (const [task, { isCancelled }] of this.#begun) {
      for (;;) {
        const { json } = await daemon.ask('GET', `/jobs/${task}`);
        if (json.execution === 'queued' || json.execution === 'running') continue;
        const ends = isCancelled ? ['succeeded', 'canceled'] : ['succeeded'];
        t.true(ends.includes(String(json.execution)), `import ${task}: ${JSON.stringify(json)}`);
        if (json.execution === 'succeeded') this.succeeded += 1;
        else this.cancelled += 1;
        break;
      }
    }
    this.#begun.clear();
    this.whole.clear();
    for (const [uuid, digest] of this.theirs) {
      // Of an import that was not answered nobody knows the task.
      for (;;) {
        const { status, json } = await daemon.ask('GET', `/images/${uuid}`);
        if (status === 200 && json.state === 'creating') continue;
        if (status === 404) break;
        t.is(json.state, 'active');
        t.is(sha1((await daemon.ask('GET', `/images/${uuid}/file`)).bytes), digest, `the file of ${uuid}`);
        this.whole.set(uuid, digest);
        break;
      }
    }
  }
}

import anyTest, { type ExecutionContext } from 'ava';
import { Random } from '../imgapi/random.js';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { born, type Entry, nextStep, settle, stateOf, visible, WORKERS } from '../support/image-work.js';
import { isMet } from '../support/needs.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

// repeat a run with CRASH_SEED=… ; the order of what runs at the same time is not repeated
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.CLUSTER_CRASH_ROUNDS ?? 4);

/** Answers before a kill, and after it by those who are left. */
const BEFORE = 40;
const AFTER = 40;

const config = { authType: 'none', blobGrace: 0 };

/** Clients that ask any daemon that is there, as from behind a balancer, each of them with images of its own. */
class Clients {
  readonly entries = new Map<string, Entry>();
  acknowledged = 0;
  unanswered = 0;
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly t: ExecutionContext,
    private readonly random: Random,
    /** Those that are there; a daemon leaves before it is killed. */
    private readonly there: Set<Daemon>,
  ) {}

  /** Runs until `during` has ended. */
  async work(during: () => Promise<void>): Promise<void> {
    this.#isOver = false;
    const shares: string[][] = Array.from({ length: WORKERS }, () => []);
    for (const [n, uuid] of [...this.entries.keys()].entries()) shares[n % WORKERS]!.push(uuid);
    const working = shares.map((mine) => this.#work(mine));
    await during().finally(() => {
      this.#isOver = true;
    });
    await Promise.all(working);
  }

  /** Resolves when so many more were acknowledged. */
  async further(count: number): Promise<void> {
    const wanted = this.acknowledged + count;
    while (this.acknowledged < wanted) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async #work(mine: string[]): Promise<void> {
    while (!this.#isOver && this.there.size > 0) {
      const sure = mine.filter((uuid) => !this.entries.get(uuid)?.maybe);
      const { uuid, step } = nextStep(this.entries, sure, this.random);
      if (!mine.includes(uuid)) mine.push(uuid);
      const entry = this.entries.get(uuid) ?? { sure: undefined, maybe: undefined };
      this.entries.set(uuid, entry);
      entry.maybe = { after: step.after };
      const daemon = this.random.pick([...this.there]);
      const answer = await daemon.ask(step.method, step.path, step.options).catch(() => undefined);
      if (!answer && this.there.has(daemon)) this.t.fail(`${step.method} ${step.path}: cut off by one that lives`);
      if (!answer || answer.status === 503) {
        if (answer) this.t.regex(`${answer.headers['retry-after']}`, /^\d+$/);
        this.unanswered += 1;
        continue;
      }
      const isDone = answer.status === 200 || answer.status === 204;
      this.t.true(isDone, `${step.method} ${step.path}: ${answer.status} ${answer.bytes}`);
      if (!isDone) return;
      entry.sure = step.after;
      entry.maybe = undefined;
      this.acknowledged += 1;
      for (const tell of this.#waiting) tell();
      this.#waiting.clear();
    }
  }

  /** When this one has written again, what those have left behind that were killed is decided. */
  async settle(daemon: Daemon): Promise<void> {
    const { known, step } = born(this.random);
    this.t.is((await daemon.ask(step.method, step.path, step.options)).status, 200);
    this.entries.set(known.uuid, { sure: known, maybe: undefined });
    await settle(daemon, this.entries);
  }

  async check(daemon: Daemon): Promise<void> {
    const { list } = await daemon.ask('GET', '/images?state=all');
    this.t.deepEqual(list.map(({ uuid }) => uuid).sort(), [...this.entries.keys()].sort());
    for (const [uuid, { sure }] of this.entries) this.t.deepEqual(await stateOf(daemon, uuid), visible(sure!));
  }
}

test(`daemons are killed in turn, at last all of them: the others go on, and nothing acknowledged is lost${why}`, async (t) => {
  t.timeout(600_000);
  t.log(`CRASH_SEED=${SEED}`);
  const random = new Random(SEED);
  const cluster = await startCluster(t, { lease: 10, config });
  const there = new Set<Daemon>(cluster.daemons);
  const clients = new Clients(t, random, there);
  for (let round = 0; round < ROUNDS && t.passed; round += 1) {
    const victims = round === ROUNDS - 1 ? [0, 1] : [round % 2];
    const [survivor] = [0, 1].filter((place) => !victims.includes(place));
    await clients.work(async () => {
      await clients.further(random.below(BEFORE) + 1);
      await Promise.all(victims.map((place) => kill(cluster.daemons[place]!)));
      if (survivor !== undefined) await clients.further(AFTER);
    });
    if (survivor !== undefined) {
      await clients.settle(cluster.daemons[survivor]!);
      await clients.check(cluster.daemons[survivor]!);
    }
    const back = await Promise.all(victims.map((place) => cluster.start(place)));
    for (const daemon of back) there.add(daemon);
    if (survivor === undefined) await clients.settle(back[0]!);
    for (const daemon of cluster.daemons) await clients.check(daemon);
  }
  t.log(
    `${clients.acknowledged} operations were acknowledged, ${clients.unanswered} were not; ${clients.entries.size} images`,
  );

  async function kill(daemon: Daemon): Promise<void> {
    there.delete(daemon);
    await daemon.kill('SIGKILL');
    daemon.close();
  }
});

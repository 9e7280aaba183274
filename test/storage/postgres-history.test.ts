import test from 'ava';
import { notes, type Opened, openShared, until } from '../support/catalogs.js';
import { startProxy } from '../support/failing-proxy.js';
import { History } from '../support/history.js';
import { isMet } from '../support/needs.js';
import { needsPostgres, startOwnPostgres } from '../support/postgres.js';

const here = isMet[needsPostgres];
const rounds = Number(process.env.SLIPWAY_TEST_ROUNDS ?? 12);
const registers = ['a', 'b', 'c', 'd'];

(here ? test : test.skip)(
  `catalogs on a PostgreSQL that fails show nothing older than what was acknowledged${here ? '' : ` (needs ${needsPostgres})`}`,
  async (t) => {
    t.timeout(600_000);
    const postgres = await startOwnPostgres(t);
    const ways = await Promise.all([0, 1, 2].map(() => startProxy(t, postgres.port)));
    const all: Opened[] = [];
    for (const { port } of ways) {
      all.push(await openShared(t, postgres.url.replace(/:\d+\//, `:${port}/`), { lease: 800, keep: 40 }));
    }
    const history = new History();
    const any = chance(Number(process.env.SLIPWAY_TEST_SEED ?? 8));
    for (const id of registers) await all[0]!.insert({ id, count: -1 });

    let isOver = false;
    const writers = registers.map(async (id) => {
      for (let value = 0; !isOver; value += 1) {
        const { catalog } = all[any(all.length)]!;
        await history.write(id, value, () => catalog.write((tx) => tx.replace(notes, { id, count: value })));
        await breath(any(8));
      }
    });
    const readers = all.map(async ({ catalog }, n) => {
      while (!isOver) {
        const id = registers[any(registers.length)]!;
        await history.read(id, `catalog ${n}`, async () => {
          if (!catalog.current()) throw new Error('it may be behind');
          return (await catalog.get(notes, id))?.count;
        });
        await breath(any(3));
      }
    });

    const way = () => ways[any(ways.length)]!;
    const faults: (() => Promise<void> | void)[] = [
      () => way().cut(),
      () => way().reset(),
      () => void way().onceSent('COMMIT', 'cut', { way: any(2) ? 'up' : 'down', first: any(2) ? 'send' : 'act' }),
      () => void way().onceSent('slipway_log', 'reset', { way: any(2) ? 'up' : 'down', first: 'act' }),
      () => void way().onceSent('FOR UPDATE', 'cut'),
      async () => {
        const one = way();
        one.hold((['up', 'down', undefined] as const)[any(3)]);
        await breath(any(2500));
        one.release();
      },
      async () => {
        const one = way();
        one.refuse();
        one.cut();
        await breath(any(2500));
        one.allow();
      },
      async () => {
        const one = way();
        one.delay(any(400), any(2) ? 'up' : 'down');
        await breath(any(2000));
        one.delay(0);
      },
      () => postgres.restart(),
      async () => {
        await postgres.stop('SIGKILL');
        await breath(any(1500));
        await postgres.start();
      },
      async () => {
        postgres.signal('SIGSTOP');
        await breath(any(2000));
        postgres.signal('SIGCONT');
      },
    ];
    for (let round = 0; round < rounds; round += 1) {
      const [writes, reads] = [history.acknowledged, history.reads];
      await faults[any(faults.length)]!();
      await until(() => history.acknowledged > writes + 20 && history.reads > reads + 50, 'it goes on');
    }
    isOver = true;
    await Promise.all([...writers, ...readers]);
    // what was set may still spring, and so short a lease be lost once more
    const writeEnd = () =>
      all[0]!.catalog.write(async (tx) => {
        if (!(await tx.get(notes, 'the end'))) await tx.insert(notes, { id: 'the end' });
        return true;
      });
    await until(() => writeEnd().catch(() => false), 'the end is written');
    // whoever has it has all before it
    for (const { catalog } of all) {
      await until(async () => (await catalog.get(notes, 'the end')) !== undefined, 'all are back');
    }
    const ends = await Promise.all(
      all.map(({ catalog }) => Promise.all(registers.map((id) => catalog.get(notes, id)))),
    );
    for (const [n, found] of ends.entries()) {
      t.deepEqual(found, ends[0]);
      for (const [r, id] of registers.entries())
        await history.read(id, `catalog ${n} at the end`, async () => found[r]?.count);
    }
    t.deepEqual(history.faults(), []);
    t.log(`${history.acknowledged} writes were acknowledged, ${history.reads} reads answered`);
  },
);

/** The same from one run to the next. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 0x7fffffff;
    return state % below;
  };
}

const breath = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

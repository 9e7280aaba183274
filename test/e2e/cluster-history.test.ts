import anyTest from 'ava';
import { until } from '../support/catalogs.js';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { type FailingProxy, startProxy } from '../support/failing-proxy.js';
import { History } from '../support/history.js';
import { isMet } from '../support/needs.js';
import { startOwnPostgres } from '../support/postgres.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest.serial;
const why = need ? ` (${need})` : '';

const rounds = 10;

test(`whatever fails, no read is older than a write that was acknowledged before it began${why}`, async (t) => {
  t.timeout(300_000);
  const postgres = await startOwnPostgres(t);
  const ways: FailingProxy[] = [];
  const { daemons } = await startCluster(t, {
    lease: 2,
    postgres,
    between: async (place, engine, port) => {
      if (engine === 'store') return port;
      ways[place] ??= await startProxy(t, port);
      return ways[place].port;
    },
  });
  const history = new History();
  const any = chance(Number(process.env.SLIPWAY_TEST_SEED ?? 8));
  const registers: string[] = [];
  // with a lease that is as short as this a busy machine may lose it here, too
  while (registers.length < 3) {
    const { status, json } = await daemons[0]!.ask('POST', '/images', { body: sample('dc') });
    if (status === 200) registers.push(json.uuid);
  }
  let isOver = false;
  const writers = registers.map(async (uuid, which) => {
    for (let value = 0; !isOver; value += 1) {
      const daemon = daemons[any(2)]!;
      await history.write(uuid, value, async () => {
        const body = { description: String(value) };
        const { status } = await daemon.ask('POST', `/images/${uuid}?action=update`, { body });
        if (status !== 200) throw new Error(`refused: ${status}`);
      });
      await breath(any(10) + which);
    }
  });
  const readers = [0, 1, 2, 3].map(async (n) => {
    while (!isOver) {
      const uuid = registers[any(registers.length)]!;
      await history.read(uuid, `daemon ${n % 2}`, () => valueAt(daemons[n % 2]!, uuid));
      await breath(any(5));
    }
  });

  const both = [0, 1];
  const faults: (() => Promise<void> | void)[] = [
    () => ways[any(2)]!.cut(),
    () => ways[any(2)]!.reset(),
    () => both.forEach((which) => void ways[which]!.cut()),
    async () => {
      const way = ways[any(2)]!;
      way.hold(any(2) ? 'up' : 'down');
      await breath(any(4000));
      way.release();
    },
    async () => {
      const way = ways[any(2)]!;
      way.delay(any(300));
      await breath(1000);
      way.delay(0);
    },
    async () => {
      const daemon = daemons[any(2)]!;
      daemon.child.kill('SIGSTOP');
      await breath(any(4000));
      daemon.child.kill('SIGCONT');
    },
    () => postgres.restart(),
    async () => {
      await postgres.stop('SIGKILL');
      await breath(any(1000));
      await postgres.start();
    },
  ];
  for (let round = 0; round < rounds; round += 1) {
    const [writes, reads] = [history.acknowledged, history.reads];
    await faults[round % faults.length]!();
    await until(() => history.acknowledged > writes + 5 && history.reads > reads + 20, 'it goes on');
  }
  isOver = true;
  await Promise.all([...writers, ...readers]);
  for (const [n, daemon] of daemons.entries()) {
    for (const uuid of registers) {
      const read = () => history.read(uuid, `daemon ${n} at the end`, () => valueAt(daemon, uuid));
      await until(read, 'it answers at the end');
    }
  }
  t.deepEqual(history.faults(), []);
  t.log(`${history.acknowledged} writes were acknowledged, ${history.reads} reads answered`);
});

async function valueAt(daemon: Daemon, uuid: string): Promise<number | undefined> {
  const { status, json } = await daemon.ask('GET', `/images/${uuid}`, { as: 'admin' });
  if (status !== 200) throw new Error(`not read: ${status}`);
  return json.description === undefined ? undefined : Number(json.description);
}

/** The same from one run to the next. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 0x7fffffff;
    return state % below;
  };
}

const breath = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

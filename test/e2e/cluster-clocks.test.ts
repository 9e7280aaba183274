import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

/** In seconds: long enough for a machine that others keep busy, too. */
const LEASE = 10;

/** For a daemon whose clock is wrong by so many seconds. */
async function wrongBy(t: ExecutionContext, seconds: number): Promise<Record<string, string>> {
  const path = join(await scratch(t), 'clock.cjs');
  await writeFile(
    path,
    `const Right = Date;
     const now = () => Right.now() + ${seconds * 1000};
     globalThis.Date = class extends Right {
       constructor(...given) { super(...(given.length === 0 ? [now()] : given)); }
       static now() { return now(); }
     };`,
  );
  return { NODE_OPTIONS: `--require ${path}` };
}

test(`daemons whose clocks are two minutes apart stay one server, and give up who dies as soon as others do${why}`, async (t) => {
  t.timeout(300_000);
  const clocks = [await wrongBy(t, 60), await wrongBy(t, -60)];
  const { daemons, start } = await startCluster(t, { lease: LEASE, each: (place) => ({ env: clocks[place]! }) });
  const [a, b] = daemons as [Daemon, Daemon];
  const members = async (daemon: Daemon) => {
    const { json } = await daemon.ask('GET', '/api/member', { as: 'admin' });
    return (json.result as { id: string; name: string; since: string }[]).map(({ id, name, since }) => ({
      id,
      name,
      since,
    }));
  };
  const first = await members(a);
  t.true(Date.parse(first[0]!.since) - Date.parse(first[1]!.since) > 60_000, 'their clocks are apart');

  const made: string[] = [];
  const all = async (daemon: Daemon) =>
    (await daemon.ask('GET', '/images?state=all', { as: 'admin' })).list.map(({ uuid }) => `${uuid}`).sort();
  for (const end = performance.now() + 1.5 * LEASE * 1000; performance.now() < end; ) {
    for (const [maker, reader] of [
      [a, b],
      [b, a],
    ] as const) {
      const { status, json } = await maker.ask('POST', '/images', { body: sample('dc') });
      t.is(status, 200);
      made.push(`${json.uuid}`);
      t.is((await reader.ask('GET', `/images/${json.uuid}`, { as: 'admin' })).status, 200);
    }
  }
  t.deepEqual(await all(a), [...made].sort());
  t.deepEqual(await all(b), [...made].sort());
  t.deepEqual(await members(a), first, 'nobody was given up');
  t.deepEqual(await members(b), first);

  for (const [place, daemon, other] of [
    [0, a, b],
    [1, b, undefined],
  ] as const) {
    const survivor = other ?? daemons[0]!;
    await daemon.kill('SIGKILL');
    const killed = performance.now();
    t.is((await survivor.ask('POST', '/images', { body: sample('dc') })).status, 200);
    t.true(performance.now() - killed < 100_000, 'it was not waited until both clocks say so');
    t.is((await members(survivor)).length, 1);
    await start(place);
    t.is((await members(survivor)).length, 2);
  }
});

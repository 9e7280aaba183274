import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import anyTest, { type ExecutionContext } from 'ava';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

const built = fileURLToPath(new URL('../..', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The daemon of this build, installed elsewhere under another number. */
async function release(t: ExecutionContext, version: string): Promise<string> {
  const place = await scratch(t);
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await writeFile(join(place, 'package.json'), JSON.stringify({ ...manifest, version }));
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  await mkdir(join(place, 'dist'));
  for (const room of ['imgapi', 'storage', 'server']) {
    await cp(join(built, room), join(place, 'dist', room), { recursive: true });
  }
  return join(place, 'dist', 'server', 'main.js');
}

const versions = async (daemon: Daemon) => {
  const { json } = await daemon.ask('GET', '/api/member', { as: 'admin' });
  return (json.result as { name: string; version: string }[]).map(({ name, version }) => `${name} ${version}`).sort();
};

test(`one daemon at a time becomes another version, while the other serves, and they are one server meanwhile${why}`, async (t) => {
  const newer = await release(t, '999.0.0');
  const cluster = await startCluster(t);
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  const { version } = (await a.ask('GET', '/ping')).json;
  const made: string[] = [];
  const create = async (daemon: Daemon) => {
    const { status, json } = await daemon.ask('POST', '/images', { body: sample('dc') });
    t.is(status, 200);
    made.push(`${json.uuid}`);
  };
  const all = async (daemon: Daemon) =>
    (await daemon.ask('GET', '/images?state=all', { as: 'admin' })).list.map(({ uuid }) => `${uuid}`).sort();

  await create(a);
  t.is((await a.kill('SIGTERM')).code, 0);
  await create(b);
  const first = await cluster.start(0, { process: { main: newer } });
  t.is((await first.ask('GET', '/ping')).json.version, '999.0.0');
  t.deepEqual(await versions(b), ['a 999.0.0', `b ${version}`]);
  await create(first);
  await create(b);
  for (const daemon of [first, b]) t.deepEqual(await all(daemon), [...made].sort());

  t.is((await b.kill('SIGTERM')).code, 0);
  await create(first);
  const second = await cluster.start(1, { process: { main: newer } });
  t.deepEqual(await versions(first), ['a 999.0.0', 'b 999.0.0']);
  t.deepEqual(await all(second), [...made].sort());

  // and back, as long as the records are not of a newer kind
  t.is((await first.kill('SIGTERM')).code, 0);
  const back = await cluster.start(0);
  t.deepEqual(await all(back), [...made].sort());
  t.deepEqual(await versions(second), [`a ${version}`, 'b 999.0.0']);
});

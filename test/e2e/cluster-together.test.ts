import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import anyTest, { type ExecutionContext } from 'ava';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest.serial;
const why = need ? ` (${need})` : '';

const resultOf = async (daemon: Daemon, path: string) =>
  (await daemon.ask('GET', path, { as: 'admin' })).json.result as Record<string, unknown>;

test(`daemons are one server: one key for nodes, one for the audit, one list of who is in${why}`, async (t) => {
  const cluster = await startCluster(t);
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  t.deepEqual(await resultOf(a, '/api/nodekey'), await resultOf(b, '/api/nodekey'));

  const { json: image } = await a.ask('POST', '/images', { body: sample('dc') });
  await b.ask('PUT', `/images/${image.uuid}/file?compression=none`, { body: 'the bytes' });
  await a.ask('POST', `/images/${image.uuid}?action=activate`);
  for (const daemon of [a, b]) await daemon.ask('GET', `/images/${image.uuid}/file`);
  const chains = async (daemon: Daemon) => {
    const { key, heads } = await resultOf(daemon, '/api/audit/head');
    return { key, chains: (heads as { chain: string }[]).map(({ chain }) => chain) };
  };
  // pulls are written every second, and each daemon takes in those of the other a moment later
  const all = async (daemon: Daemon) => {
    let seen = await chains(daemon);
    for (const end = Date.now() + 60_000; seen.chains.length < 3 && Date.now() < end; ) seen = await chains(daemon);
    return seen;
  };
  const seen = await all(a);
  t.deepEqual(seen.chains, ['accesses-a', 'accesses-b', 'changes']);
  t.deepEqual(await all(b), seen);

  const members = async (daemon: Daemon) =>
    (await resultOf(daemon, '/api/member')) as unknown as { name: string; self: boolean }[];
  t.deepEqual(
    (await members(a)).map(({ name, self }) => `${name} ${self}`),
    ['a true', 'b false'],
  );
  t.deepEqual(
    (await members(b)).map(({ name, self }) => `${name} ${self}`),
    ['a false', 'b true'],
  );

  const other = join(await scratch(t), 'secrets-key');
  await writeFile(other, randomBytes(32).toString('base64'), { mode: 0o600 });
  const refused = await t.throwsAsync(cluster.start(2, { config: { secretsKey: other } }));
  t.regex(refused?.message ?? '', /slipway: secretsKey: .* holds another key .*all daemons need the same one/);
  t.deepEqual(
    (await members(a)).map(({ name }) => name),
    ['a', 'b'],
  );
});

test(`who may no longer come in is kept out by all, at once${why}`, async (t) => {
  const [a, b] = (await startCluster(t)).daemons as [Daemon, Daemon];
  const { json } = await a.ask('POST', '/api/token', { body: { name: 'ci' } });
  const { token } = json.result as { token: string };
  const asking = (daemon: Daemon) =>
    daemon.ask('GET', '/api/account', { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status);
  t.deepEqual([await asking(a), await asking(b)], [200, 200]);
  t.is((await a.ask('DELETE', '/api/token/ci', { as: 'admin' })).status, 200);
  t.deepEqual([await asking(b), await asking(a)], [401, 401]);
});

/** Over a connection that is kept. */
const asked = (port: number, path: string, agent: Agent): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent }, resolve).once('error', reject);
  });

interface Told {
  status: number | undefined;
  connection: string | undefined;
}

/** What a daemon answers from when it is told to stop, and for how long it listens after it was last ready. */
async function leave(t: ExecutionContext, daemon: Daemon): Promise<{ told: Told[]; listened: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const answered = async (): Promise<Told> => {
    const answer = await asked(daemon.port, '/readyz', agent);
    await text(answer);
    return { status: answer.statusCode, connection: answer.headers.connection };
  };
  t.deepEqual(await answered(), { status: 200, connection: 'keep-alive' });
  const exited = daemon.kill('SIGTERM');
  const told: Told[] = [];
  // as soon as it is told that a connection is the last one, a proxy opens the next elsewhere: here, to see when
  for (let ready = performance.now(); ; ) {
    const begun = performance.now();
    const answer = await answered().catch((error: NodeJS.ErrnoException) => error.code);
    if (typeof answer !== 'object') {
      t.regex(`${answer}`, /ECONNREFUSED|ECONNRESET|EPIPE/, 'it came when nobody listened any more');
      const listened = performance.now() - ready;
      t.is((await exited).code, 0);
      return { told, listened };
    }
    if (answer.status === 200) ready = begun;
    told.push(answer);
  }
}

test(`who stops says so before it is gone: nobody is cut off who listens${why}`, async (t) => {
  const cluster = await startCluster(t);
  let told: Told[] = [];
  // a machine that stands still for that second hears nothing of it, and it is done again
  for (let tries = 0; tries < 5 && !told.some(({ status }) => status === 503); tries += 1) {
    const daemon = tries === 0 ? cluster.daemons[1]! : await cluster.start(1);
    const left = await leave(t, daemon);
    t.true(left.listened > 990, `${left.listened} ms`);
    told = left.told;
  }
  t.true(told.some(({ status }) => status === 503));
  t.false(told.some(({ status, connection }) => status === 503 && connection !== 'close'));
});

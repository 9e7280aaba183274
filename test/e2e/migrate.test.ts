import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { startCeph } from '../support/ceph.js';
import { cli } from '../support/cli.js';
import { startCluster } from '../support/cluster.js';
import { type Daemon, launch, type Options, startDaemon } from '../support/daemon.js';
import { startFailingStore } from '../support/failing-store.js';
import { isMet } from '../support/needs.js';
import { startPostgres } from '../support/postgres.js';
import { environmentOf } from '../support/s3-account.js';
import { scratch } from '../support/scratch.js';
import { sample } from '../support/server.js';
import { SuiteDatabases } from '../support/suite-databases.js';
import { pathOf, sha256Of, tus } from '../support/tus.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const clusterTest = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

/** A place for a server: a configuration file with a data directory in it. */
interface Place {
  config: string;
  settings: Record<string, unknown> & { data: string };
  env: Record<string, string>;
}

const common = { mode: 'dc', authType: 'signature', blobGrace: 0 };

async function placed(dir: string, name: string, more: object = {}, env: Place['env'] = {}): Promise<Place> {
  const data = join(dir, name);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const settings = { ...common, data, port: 0, ...more };
  const config = join(dir, `${name}.json`);
  await writeFile(config, JSON.stringify(settings));
  return { config, settings, env };
}

async function inCluster(dir: string, name: string, data?: string): Promise<Place> {
  const [postgres, ceph] = await Promise.all([startPostgres(), startCeph()]);
  const databases = new SuiteDatabases(postgres.url);
  await databases.prepare();
  const [database, bucket] = await Promise.all([databases.take(), ceph.newBucket()]);
  const store = { store: `s3://${bucket}/moved`, storeEndpoint: ceph.endpoint, storeRegion: ceph.region };
  const shared = {
    ...(data && { data }),
    database,
    lease: 10,
    memberName: 'a',
    secretsKey: join(dir, 'secrets-key'),
    ...store,
  };
  return placed(dir, name, shared, environmentOf(ceph));
}

/** The key of all places in a directory. */
const withKey = (dir: string) =>
  writeFile(join(dir, 'secrets-key'), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });

async function started(t: ExecutionContext, place: Place, others: Place[], more: Options = {}): Promise<Daemon> {
  const env = Object.assign({}, ...[place, ...others].map((one) => one.env));
  return startDaemon(t, { data: place.settings.data, config: place.settings, env, ...more });
}

const admin = (daemon: Daemon, method: string, path: string, body?: object | Buffer) =>
  daemon.ask(method, path, { as: 'admin', ...(body && { body }) });

/** Something of everything. */
async function filled(t: ExecutionContext, daemon: Daemon, images = 6) {
  const done = async (method: string, path: string, body?: object | Buffer) => {
    const answer = await admin(daemon, method, path, body);
    t.true(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.bytes}`);
    return answer;
  };
  const uuids: string[] = [];
  for (let n = 0; n < images; n += 1) {
    const uuid = randomUUID();
    const manifest = {
      v: 2,
      uuid,
      name: `image-${n}`,
      version: `${n}`,
      type: 'other',
      os: 'other',
      public: n % 2 === 0,
    };
    await done('POST', `/images/${uuid}?action=import&skip_owner_check=true`, { ...manifest, owner: randomUUID() });
    if (n > 0) await done('PUT', `/images/${uuid}/file?compression=none`, randomBytes(10_000 + n * 700_000));
    if (n > 1) await done('POST', `/images/${uuid}?action=activate`);
    uuids.push(uuid);
  }
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  await daemon.ask('POST', `/images/${uuids[2]}/icon`, {
    as: 'admin',
    body: png,
    headers: { 'content-type': 'image/png' },
  });
  await done('POST', `/images/${uuids[3]}?action=disable`);
  await done('POST', '/api/user/somebody', { password: 'long enough 1' });
  await done('POST', '/api/group/those', { users: ['somebody'], permissions: ['image_admin'] });
  await done('POST', '/api/secret/key', { host: 'http://127.0.0.1:1', type: 'bearer', value: 'hidden' });
  return uuids;
}

/** All that a server tells, to several callers. */
async function told(daemon: Daemon): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const somebody = { authorization: `Basic ${Buffer.from('somebody:long enough 1').toString('base64')}` };
  const ask = async (path: string, as: 'admin' | 'anonymous' | 'somebody') => {
    const answer = await daemon.ask('GET', path, as === 'somebody' ? { headers: somebody } : { as });
    all[`${as} ${path}`] = [answer.status, digest(answer.bytes)];
    return answer;
  };
  const { list } = await ask('/images?state=all', 'admin');
  for (const as of ['anonymous', 'somebody'] as const) await ask('/images', as);
  for (const { uuid } of list) {
    for (const as of ['admin', 'anonymous'] as const) {
      await ask(`/images/${uuid}`, as);
      await ask(`/images/${uuid}/file`, as);
      await ask(`/images/${uuid}/icon`, as);
    }
  }
  for (const path of ['image', 'user', 'group', 'secret', 'dc', 'repository', 'webhook', 'nodekey']) {
    await ask(`/api/${path}?full=true`, 'admin');
    await ask(`/api/${path}?full=true`, 'somebody');
  }
  return all;
}

async function shell(t: ExecutionContext, daemon: Daemon) {
  const { run, start } = await cli(t, { SLIPWAY_TOKEN: daemon.token, SLIPWAY_URL: daemon.url });
  return { run, start };
}

async function verified(t: ExecutionContext, daemon: Daemon, heads: string): Promise<void> {
  const { code, stdout, stderr } = await (await shell(t, daemon)).run(['audit', 'verify', '--heads', heads]);
  t.is(code, 0, stdout + stderr);
}

/** There: the old one refuses to start, the new one tells the same. */
async function moved(t: ExecutionContext, daemon: Daemon, from: Place, to: Place, heads: string): Promise<Daemon> {
  const before = await told(daemon);
  const { run } = await shell(t, daemon);
  await writeFile(heads, (await run(['audit', 'heads', '--json'])).stdout);
  const { code, stdout, stderr } = await run(['migrate', '--to', to.config]);
  t.is(code, 0, stdout + stderr);
  t.regex(stdout, /^moved: \d+ contents, .* records; start the daemon with --config /);
  t.is((await daemon.exited).code, 0);

  const refused = launch(t, ['--config', from.config], { ...from.env, ...to.env });
  const { code: refusal, stderr: said } = await refused.exited;
  t.is(refusal, 1);
  t.regex(said, /this server has moved/);
  t.true(said.includes(to.config));

  const next = await started(t, to, [from], { token: daemon.token });
  t.deepEqual(await told(next), before);
  await verified(t, next, heads);
  t.is((await admin(next, 'POST', '/api/user/newcomer', {})).status, 201);
  t.is((await admin(next, 'DELETE', '/api/user/newcomer')).status, 200);
  return next;
}

anyTest('a server moves to another directory and back again, and is the same', async (t) => {
  t.timeout(180_000);
  const dir = await scratch(t);
  const [one, two] = [await placed(dir, 'one'), await placed(dir, 'two')];
  const daemon = await started(t, one, [two]);
  await filled(t, daemon);
  const there = await moved(t, daemon, one, two, join(dir, 'heads.json'));
  const back = await moved(t, there, two, one, join(dir, 'heads.json'));
  t.is((await back.kill('SIGTERM')).code, 0);
});

clusterTest(`a server moves to PostgreSQL and S3 and back again, and is the same${why}`, async (t) => {
  t.timeout(240_000);
  const dir = await scratch(t);
  await withKey(dir);
  const key = { secretsKey: join(dir, 'secrets-key') };
  const [one, cluster, back] = [
    await placed(dir, 'one', key),
    await inCluster(dir, 'two'),
    await placed(dir, 'three', key),
  ];
  const daemon = await started(t, one, [cluster]);
  await filled(t, daemon);
  const there = await moved(t, daemon, one, cluster, join(dir, 'heads.json'));
  const home = await moved(t, there, cluster, back, join(dir, 'heads.json'));
  const again = await moved(t, home, back, cluster, join(dir, 'heads.json'));
  t.is((await again.kill('SIGTERM')).code, 0);
});

clusterTest(`a server moves to PostgreSQL and S3 in the same DATA, and back${why}`, async (t) => {
  t.timeout(240_000);
  const dir = await scratch(t);
  await withKey(dir);
  const one = await placed(dir, 'one', { secretsKey: join(dir, 'secrets-key') });
  const two = await inCluster(dir, 'two', one.settings.data);
  const daemon = await started(t, one, [two]);
  await filled(t, daemon, 4);
  const there = await moved(t, daemon, one, two, join(dir, 'heads.json'));
  t.false((await readdir(one.settings.data)).includes('moved-to'));
  const home = await moved(t, there, two, one, join(dir, 'heads.json'));
  t.is((await home.kill('SIGTERM')).code, 0);
});

const moments = ['moving to another configuration', 'moving: nothing is written from now on'];

/** Killed at each moment, it is what it was; in the end it arrives all the same. */
async function killedAndMoved(t: ExecutionContext, one: Place, two: Place, heads: string): Promise<void> {
  let daemon = await started(t, one, [two]);
  const { token } = daemon;
  await filled(t, daemon, 4);
  for (const moment of moments) {
    const before = await told(daemon);
    const moving = (await shell(t, daemon)).start(['migrate', '--to', two.config]);
    await daemon.logged(moment);
    await daemon.kill('SIGKILL');
    const { code } = await moving.exited;
    const again = await started(t, one, [two], { token }).catch((error: Error) => error);
    if (again instanceof Error) {
      // the last step was done before the test could kill it
      t.regex(again.message, /this server has moved/);
      t.deepEqual(await told(await started(t, two, [one], { token })), before);
      return;
    }
    daemon = again;
    t.not(code, 0);
    t.deepEqual(await told(daemon), before, moment);
    t.regex((await (await shell(t, daemon)).run(['migrate', '--status'])).stdout, /was cut off/);
    t.is((await admin(daemon, 'POST', `/api/user/u-${randomUUID().slice(0, 8)}`, {})).status, 201);
  }
  const there = await moved(t, daemon, one, two, heads);
  t.is((await there.kill('SIGTERM')).code, 0);
}

anyTest('a server that is killed while it moves is what it was, and goes on', async (t) => {
  t.timeout(240_000);
  const dir = await scratch(t);
  await killedAndMoved(t, await placed(dir, 'one'), await placed(dir, 'two'), join(dir, 'heads.json'));
});

clusterTest(`the same on its way to PostgreSQL and S3${why}`, async (t) => {
  t.timeout(240_000);
  const dir = await scratch(t);
  await withKey(dir);
  const one = await placed(dir, 'one', { secretsKey: join(dir, 'secrets-key') });
  await killedAndMoved(t, one, await inCluster(dir, 'two'), join(dir, 'heads.json'));
});

clusterTest(`a cluster of several daemons does not move: what the others write would be lost${why}`, async (t) => {
  t.timeout(240_000);
  const { daemons } = await startCluster(t);
  const home = await placed(await scratch(t), 'home');
  const { run } = await shell(t, daemons[0]!);
  const refused = await run(['migrate', '--to', home.config]);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /other daemons are at work here: stop b first/);
  await daemons[1]!.kill('SIGTERM');
  const { code, stderr } = await run(['migrate', '--to', home.config]);
  t.is(code, 0, stderr);
  await daemons[0]!.exited;
  t.is((await started(t, home, [], { token: daemons[0]!.token })).token, daemons[0]!.token);
});

clusterTest(`a daemon that was out of touch while the server moved ends when it is back${why}`, async (t) => {
  t.timeout(240_000);
  const { daemons } = await startCluster(t, { lease: 10 });
  const [mover, away] = [daemons[0]!, daemons[1]!];
  const home = await placed(await scratch(t), 'home');
  away.child.kill('SIGSTOP');
  const { run } = await shell(t, mover);
  // Until its lease is over it counts as being at work.
  for (;;) {
    const { code, stderr } = await run(['migrate', '--to', home.config]);
    if (code === 0) break;
    t.regex(stderr, /other daemons are at work here/);
  }
  await mover.exited;
  const asked = admin(away, 'POST', '/api/user/lost', {})
    .then(({ status }) => status)
    .catch(() => 'cut');
  away.child.kill('SIGCONT');
  t.true([503, 'cut'].includes(await asked));
  t.is((await away.exited).code, 1);
  t.true((await away.exited).stderr.includes(home.config));
  t.is((await admin(await started(t, home, [], { token: mover.token }), 'GET', '/api/user/lost')).status, 404);
});

clusterTest(`a store that fails in the last step leaves the server where it was${why}`, async (t) => {
  t.timeout(240_000);
  const dir = await scratch(t);
  await withKey(dir);
  const one = await placed(dir, 'one', { secretsKey: join(dir, 'secrets-key') });
  const two = await inCluster(dir, 'two');
  const store = await startFailingStore(t, String(two.settings.storeEndpoint));
  await writeFile(two.config, JSON.stringify({ ...two.settings, storeEndpoint: store.url }));
  const daemon = await started(t, one, [two]);
  await filled(t, daemon, 4);
  const { json: image } = await admin(daemon, 'POST', '/images', sample('dc'));
  const bytes = randomBytes(2_000_000);
  const created = await tus(daemon).create(bytes.length, {
    image: image.uuid,
    sha256: sha256Of(bytes),
    compression: 'none',
  });
  t.is(created.status, 201, String(created.bytes));
  const path = pathOf(created.headers.location);
  t.is((await tus(daemon).patch(path, 0, bytes.subarray(0, 1_000_000))).status, 204);
  const before = await told(daemon);
  // What is on its way in goes along in the last step only.
  store.fault = (request) => (request.path.includes('/staged/') ? { status: 500 } : undefined);
  const failed = await (await shell(t, daemon)).run(['migrate', '--to', two.config]);
  t.is(failed.code, 1, failed.stderr);
  t.is((await daemon.exited).code, 1);
  store.fault = () => undefined;
  const again = await started(t, one, [two], { token: daemon.token });
  t.deepEqual(await told(again), before);
  t.is((await (await shell(t, again)).run(['migrate', '--to', two.config])).code, 0);
  await again.exited;
  const there = await started(t, two, [one], { token: daemon.token });
  t.deepEqual(await told(there), before);
  t.is((await tus(there).patch(path, 1_000_000, bytes.subarray(1_000_000))).status, 204);
  t.true((await admin(there, 'GET', `/images/${image.uuid}/file`)).bytes.equals(bytes));
});

anyTest('an upload that is under way goes on at the other place', async (t) => {
  t.timeout(120_000);
  const dir = await scratch(t);
  const [one, two] = [await placed(dir, 'one'), await placed(dir, 'two')];
  const daemon = await started(t, one, [two]);
  const { json: image } = await admin(daemon, 'POST', '/images', sample('dc'));
  const bytes = randomBytes(3_000_000);
  const created = await tus(daemon).create(bytes.length, {
    image: image.uuid,
    sha256: sha256Of(bytes),
    compression: 'none',
  });
  const path = pathOf(created.headers.location);
  t.is((await tus(daemon).patch(path, 0, bytes.subarray(0, 1_000_000))).status, 204);
  t.is((await (await shell(t, daemon)).run(['migrate', '--to', two.config])).code, 0);
  await daemon.exited;
  const next = await started(t, two, [], { token: daemon.token });
  t.is((await tus(next).head(path)).headers['upload-offset'], '1000000');
  t.is((await tus(next).patch(path, 1_000_000, bytes.subarray(1_000_000))).status, 204);
  t.true((await admin(next, 'GET', `/images/${image.uuid}/file`)).bytes.equals(bytes));
});

anyTest('a server that has moved can be told to go on where it was', async (t) => {
  const dir = await scratch(t);
  const [one, two] = [await placed(dir, 'one'), await placed(dir, 'two')];
  const daemon = await started(t, one, [two]);
  await filled(t, daemon, 4);
  const before = await told(daemon);
  t.is((await (await shell(t, daemon)).run(['migrate', '--to', two.config])).code, 0);
  await daemon.exited;
  t.regex(await readFile(join(one.settings.data, 'moved-to'), 'utf8'), /two\.json/);
  const again = await started(t, one, [two], { args: ['--abort-migration'] });
  t.deepEqual(await told(again), before);
  // What lies there was never started, and is replaced.
  t.is((await (await shell(t, again)).run(['migrate', '--to', two.config])).code, 0);
  await again.exited;
  const there = await started(t, two, [one], { token: daemon.token });
  t.deepEqual(await told(there), before);
  await there.kill('SIGTERM');
  // And now it is somebody's.
  const third = await started(t, one, [two], { args: ['--abort-migration'] });
  const refused = await (await shell(t, third)).run(['migrate', '--to', two.config]);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /a server is there already/);
});

anyTest('what can not be is refused, with a word on what to do', async (t) => {
  const dir = await scratch(t);
  const one = await placed(dir, 'one');
  const daemon = await started(t, one, []);
  await filled(t, daemon, 4);
  const { run } = await shell(t, daemon);
  const refusal = async (config: string) => {
    const { code, stderr } = await run(['migrate', '--to', config]);
    t.is(code, 1, stderr);
    return stderr;
  };
  t.regex(await refusal('two.json'), /whole path/);
  t.regex(await refusal(join(dir, 'nowhere.json')), /nowhere/);
  t.regex(await refusal(one.config), /already/);
  t.regex(await refusal((await placed(dir, 'private', { mode: 'public' })).config), /mode/);
  await withKey(dir);
  t.regex(await refusal((await placed(dir, 'key', { secretsKey: join(dir, 'secrets-key') })).config), /another key/);
  const other = await placed(dir, 'other');
  const running = await started(t, other, []);
  t.regex(await refusal(other.config), /in use/);
  await running.kill('SIGTERM');
  t.regex(await refusal(other.config), /a server is there already/);
  t.is((await run(['migrate', '--status'])).stdout, 'the server is where it was\n');
  t.is((await run(['migrate'])).code, 1);
});

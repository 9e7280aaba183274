import { createHash, randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { type Carries, cuttingProxy } from '../support/cutting-proxy.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';

const MIB = 1 << 20;
const SIZE = 200 * MIB;

const cut = (mib: number): Carries => ({ down: mib * MIB });
const hold = (mib: number): Carries => ({ down: mib * MIB, end: 'hold' });

/** Five connections are cut; twice one falls silent, and then the daemon is killed. */
const fate = [cut(30), cut(1), hold(25), cut(20), cut(30), hold(33), cut(17)];
const kills = fate.flatMap(({ end }, at) => (end === 'hold' ? [at + 1] : []));

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

/** Asks until it is so. */
async function until(daemon: Daemon, isSo: () => boolean): Promise<void> {
  while (!isSo()) await daemon.ask('GET', '/ping');
}

async function ended(t: ExecutionContext, daemon: Daemon, job: unknown) {
  for (;;) {
    const { status, json } = await daemon.ask('GET', `/jobs/${job}`);
    t.is(status, 200);
    if (json.execution !== 'queued' && json.execution !== 'running') return json;
  }
}

test('200 MB over connections that are cut five times, to a daemon that is killed twice, come but once', async (t) => {
  t.timeout(170_000);
  const bytes = randomBytes(SIZE);
  const source = await startDaemon(t, { config: { mode: 'public', authType: 'none' } });
  const manifest = { name: 'large', version: '1', type: 'other', os: 'other', public: true };
  const owner = '00000000-0000-0000-0000-000000000000';
  const { uuid } = (await source.ask('POST', '/images', { body: { ...manifest, owner } })).json;
  t.is((await source.ask('PUT', `/images/${uuid}/file?compression=none`, { body: bytes })).status, 200);
  t.is((await source.ask('POST', `/images/${uuid}?action=activate`)).status, 200);

  const proxy = await cuttingProxy(t, source.port, (broken) => fate[broken] ?? {});
  const data = await scratch(t);
  const config = { mode: 'dc', authType: 'none' };
  let daemon = await startDaemon(t, { data, config });
  const asked = await daemon.ask('POST', `/images/${uuid}?action=import-remote&source=${proxy.url}`);
  t.is(asked.status, 200, String(asked.bytes));

  for (const broken of kills) {
    await until(daemon, () => proxy.broken() === broken);
    const { json: pending } = await daemon.ask('GET', `/api/image/${uuid}`, { as: 'admin' });
    t.like(pending.result, { status: 2, state: 'creating' }, 'it is pending meanwhile');
    await daemon.kill('SIGKILL');
    daemon.close();
    daemon = await startDaemon(t, { data, config });
  }
  const job = await ended(t, daemon, asked.json.job_uuid);
  t.is(job.execution, 'succeeded', JSON.stringify(job));
  t.is(proxy.broken(), fate.length, 'all that was to go wrong has');
  const got = await daemon.ask('GET', `/images/${uuid}/file`);
  t.is(got.status, 200);
  t.is(sha1(got.bytes), sha1(bytes));
  const share = proxy.down() / SIZE;
  t.log(`fetched ${share.toFixed(3)} times its bytes`);
  t.true(share < 1.2, `${share}`);
});

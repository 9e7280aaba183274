import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import { type Migration, type MigrationStatus, noStatus } from '../../server/operations/migration.js';
import { WriteGate } from '../../server/write-gate.js';
import { ownCatalog } from '../support/engines.js';
import { sample, startServer } from '../support/server.js';

/** One that only remembers what it was asked. */
function noting(): Migration & { asked: string[]; now: MigrationStatus } {
  const noted = {
    asked: [] as string[],
    now: noStatus,
    status: () => noted.now,
    start: async (config: string) => {
      noted.asked.push(`start ${config}`);
      noted.now = { ...noStatus, status: 'copying', config, started: '2026-01-01T00:00:00.000Z', bytes_total: 7 };
    },
    abort: async () => {
      noted.asked.push('abort');
      if (noted.now.status === 'finishing') throw new ImgapiError('Busy', 'the last step has begun');
      noted.now = { ...noted.now, status: 'aborted' };
    },
  };
  return noted;
}

test('a move is begun, looked at and ended, and stands in the audit', async (t) => {
  const { ask, deps } = await startServer(t);
  const migration = noting();
  Object.assign(deps, { migration });
  const look = async () => (await ask('GET', '/api/migration', { as: 'admin' })).json.result;
  t.like(await look(), { status: 'none', config: null });
  const begun = await ask('POST', '/api/migration', { body: { config: '/etc/slipway/cluster.toml' } });
  t.is(begun.status, 200);
  t.like(begun.json.result, { status: 'copying', config: '/etc/slipway/cluster.toml', bytes_total: 7 });
  t.like((await ask('DELETE', '/api/migration')).json.result, { status: 'aborted' });
  t.deepEqual(migration.asked, ['start /etc/slipway/cluster.toml', 'abort']);
  migration.now = { ...migration.now, status: 'finishing' };
  t.is((await ask('DELETE', '/api/migration')).json.code, 'Busy');
  await deps.audit.flush();
  const { json } = await ask('GET', '/api/audit', { as: 'admin' });
  const whats = (json.result as { what: string }[]).map(({ what }) => what);
  t.true(whats.includes('StartMigration to /etc/slipway/cluster.toml'));
  t.true(whats.includes('AbortMigration'));
});

test('what is no configuration is refused; a server that can not move says so', async (t) => {
  const { ask } = await startServer(t);
  for (const body of [{}, { config: '' }, { config: 1 }, { config: '/x', more: true }]) {
    t.is((await ask('POST', '/api/migration', { body })).status, 400, JSON.stringify(body));
  }
  t.is((await ask('POST', '/api/migration', { body: { config: '/x' } })).status, 503);
});

test('while the server moves its last step, reads go on and writes are told to come back', async (t) => {
  const gate = new WriteGate();
  const catalog = await ownCatalog();
  const { ask } = await startServer(t, { catalog: gate.guard(catalog) });
  const { json: image } = await ask('POST', '/images', { body: sample('dc') });
  gate.close('the server is moving: try again when it is back');
  for (const [method, path, body] of [
    ['POST', '/images', sample('dc')],
    ['POST', '/api/user/somebody', {}],
    ['PUT', `/images/${image.uuid}/file?compression=none`, 'bytes'],
    ['DELETE', `/images/${image.uuid}`, undefined],
  ] as const) {
    const { status, headers, json } = await ask(method, path, body === undefined ? {} : { body });
    t.deepEqual(
      [status, json.code, headers['retry-after']],
      [503, 'ServiceUnavailableError', '10'],
      `${method} ${path}`,
    );
  }
  t.is((await ask('GET', `/images/${image.uuid}`, { as: 'admin' })).status, 200);
  t.is((await ask('GET', '/api/user', { as: 'admin' })).status, 200);
  gate.open();
  t.is((await ask('DELETE', `/images/${image.uuid}`)).status, 204);
});

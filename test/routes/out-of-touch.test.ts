import test from 'ava';
import { StorageDown } from '../../storage/errors.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { ownCatalog } from '../support/engines.js';
import { sample, startServer } from '../support/server.js';

const answering = ['/ping', '/healthz'];
const silent = ['/images', '/state', '/api/image', '/api/account', '/docs/', '/metrics'];

test('a daemon that may be behind the others says nothing from memory, and when to ask again', async (t) => {
  let isIn = true;
  const catalog = await ownCatalog();
  const server = await startServer(t, { catalog: wrappedCatalog(catalog, { current: () => isIn }) });
  const { uuid } = await server.image();
  const paths = [...silent, `/images/${uuid}`, `/images/${uuid}/file`];
  for (const path of [...paths, ...answering]) t.is((await server.ask('GET', path, { as: 'admin' })).status, 200, path);

  isIn = false;
  for (const path of answering) t.is((await server.ask('GET', path, { as: 'admin' })).status, 200, path);
  for (const path of paths) {
    for (const options of [{}, { as: 'admin' as const }]) {
      const { status, json, headers } = await server.ask('GET', path, options);
      t.deepEqual([status, json.code], [503, 'ServiceUnavailableError'], path);
      t.regex(`${json.message}`, /has lost touch with the database/);
      t.regex(`${headers['retry-after']}`, /^\d+$/);
    }
  }
  t.is((await server.ask('GET', '/readyz')).status, 503);
  t.is((await server.ask('DELETE', `/images/${uuid}`, { as: 'admin' })).status, 503);
  t.is((await server.ask('GET', '/nowhere')).status, 404);

  isIn = true;
  for (const path of paths) t.is((await server.ask('GET', path, { as: 'admin' })).status, 200, path);
});

test('who meets a storage that is down is told when to try again', async (t) => {
  const catalog = await ownCatalog();
  let isDown = false;
  const write: typeof catalog.write = (change) =>
    isDown ? Promise.reject(new StorageDown('writing', new Error('it was cut'))) : catalog.write(change);
  const server = await startServer(t, { catalog: wrappedCatalog(catalog, { write }) });
  isDown = true;
  const { status, json, headers } = await server.ask('POST', '/images', { body: sample('dc') });
  isDown = false;
  t.deepEqual([status, json.code, headers['retry-after']], [503, 'StorageIsDown', '5']);
  t.is((await server.ask('POST', '/images', { body: sample('dc') })).status, 200);
});

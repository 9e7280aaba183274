import test from 'ava';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { listen } from '../support/events.js';
import { sharing } from '../support/members.js';
import { type Answer, startServer, type TestServer } from '../support/server.js';

const signIn = ({ ask, token }: TestServer) => ask('POST', '/api/session', { as: 'anonymous', body: { token } });

const cookieOf = ({ headers }: Answer) => String(headers['set-cookie']).split(';', 1)[0] ?? '';

test('a session that was opened on one daemon is good on all, and ends on all', async (t) => {
  const catalog = await openMemoryCatalog();
  t.teardown(() => catalog.close());
  const servers: TestServer[] = [];
  for (const { catalog: shared } of sharing(catalog, ['east', 'west'])) {
    servers.push(await startServer(t, { catalog: wrappedCatalog(shared, { close: async () => {} }) }));
  }
  const [east, west] = servers as [TestServer, TestServer];
  const cookie = cookieOf(await signIn(east));
  const headers = { cookie, 'sec-fetch-site': 'same-origin' };
  for (const { ask } of servers) t.is((await ask('GET', '/api/account', { as: 'anonymous', headers })).status, 200);
  const stream = await listen(west.port, { cookie });
  t.teardown(stream.close);
  t.is((await stream.next()).event, 'ready');
  t.is((await east.ask('DELETE', '/api/session', { as: 'anonymous', headers })).status, 200);
  t.deepEqual(await stream.ended, []);
  for (const { ask } of servers) t.is((await ask('GET', '/api/account', { as: 'anonymous', headers })).status, 401);
});

import test from 'ava';
import { startServer } from '../support/server.js';

test('a data center is made, shown, changed and removed', async (t) => {
  const { ask } = await startServer(t);
  const made = await ask('POST', '/api/dc/lab', { body: { alias: 'Lab', location: 'here' } });
  t.is(made.status, 201, String(made.bytes));
  t.like(made.json.result as object, { name: 'lab', alias: 'Lab', owner: 'admin', description: '', location: 'here' });
  t.deepEqual((await ask('GET', '/api/dc', { as: 'admin' })).json.result, ['lab', 'main']);
  t.is((await ask('POST', '/api/group/ops', { body: { permissions: ['admin'], users: ['admin'] } })).status, 201);
  t.is((await ask('POST', '/api/dc/lab/group/ops')).status, 201);
  t.is((await ask('POST', '/api/user/anna', { body: { password: 'a long one' } })).status, 201);
  t.is((await ask('POST', '/api/node/n1', { body: { dcs: ['lab'] } })).status, 201);
  t.is((await ask('POST', '/api/node/n1/token/main', {})).status, 201);
  t.is((await ask('GET', '/api/dc/lab/settings', { as: 'admin' })).status, 200);
  t.is((await ask('PUT', '/api/dc/lab/settings', { body: { anonymous: true } })).status, 200);
  t.is((await ask('PUT', '/api/dc/lab/settings', { body: { nonsense: true } })).status, 400);
  t.is((await ask('DELETE', '/api/dc/lab')).status, 200);
});

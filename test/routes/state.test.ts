import test from 'ava';
import { addUser } from '../support/fixtures.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';

test('shows operators what the server is made of', async (t) => {
  const server = await startServer(t, { version: '4.5.6' });
  await server.image();
  const { status, json } = await server.ask('GET', '/state', { as: 'admin' });
  t.is(status, 200);
  t.like(json as object, {
    version: '4.5.6',
    mode: 'dc',
    log: { level: 'silent' },
    storageTypes: ['local'],
    cache: { images: 1 },
  });
});

test('names no image', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ name: 'secret-name', public: false });
  const { bytes } = await server.ask('GET', '/state', { as: 'admin' });
  t.false(bytes.includes(uuid));
  t.false(bytes.includes('secret-name'));
});

const callers = table<'caller' | 'status'>(`
  caller       status
  anonymous    401
  user         403
  admin        200
  trusted      200
`);

for (const path of ['GET /state', 'POST /state?action=dropcaches', 'POST /authkeys/reload']) {
  test(`${path} is for operators`, async (t) => {
    const [method = '', target = ''] = path.split(' ');
    for (const { caller, status } of callers) {
      const server = await startServer(t, { trusts: () => caller === 'trusted' });
      const user = await addUser(server, 'someone');
      const options = caller === 'user' ? { headers: user.headers } : {};
      const answer = await server.ask(method, target, { as: caller === 'admin' ? 'admin' : 'anonymous', ...options });
      t.is(answer.status === 202 ? 200 : answer.status, Number(status), caller);
      if (caller === 'user') t.is(answer.json.code, 'OperatorOnly');
      if (caller === 'anonymous') t.is(answer.json.code, 'UnauthorizedError');
    }
  });
}

test('dropping caches is accepted, without a body', async (t) => {
  const { ask } = await startServer(t);
  const { status, bytes } = await ask('POST', '/state?action=dropcaches');
  t.is(status, 202);
  t.is(bytes.length, 0);
});

const refused = table<'query' | 'status' | 'code'>(`
  query            status  code
  -                409     MissingParameter
  ?action=         409     MissingParameter
  ?action=explode  409     InvalidArgument
`);

test('other actions are refused', async (t) => {
  const { ask } = await startServer(t);
  for (const { query, status, code } of refused) {
    const answer = await ask('POST', `/state${query}`);
    t.is(answer.status, Number(status), query);
    t.is(answer.json.code, code, query);
  }
});

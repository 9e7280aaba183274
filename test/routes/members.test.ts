import test from 'ava';
import { tasks } from '../../server/model/task.js';
import { ownCatalog } from '../support/engines.js';
import { sharing } from '../support/members.js';
import { startServer } from '../support/server.js';

test('SuperAdmins see which daemons are this server, and what each is at', async (t) => {
  const [a, b] = sharing(await ownCatalog(), ['a', 'b']);
  const { ask } = await startServer(t, { catalog: b!.catalog });
  const task = { what: 'nothing', who: { name: 'admin' }, objects: [], result: null, params: {}, created: '2030' };
  await a!.catalog.write(async (tx) => {
    const runner = a!.catalog.members.self.id;
    await tx.insert(tasks, { ...task, id: 'one', status: 'STARTED', runner });
    await tx.insert(tasks, { ...task, id: 'two', status: 'SUCCESS', runner });
  });
  const listed = async () =>
    (await ask('GET', '/api/member', { as: 'admin' })).json.result as Record<string, unknown>[];
  const shown = (rows: Record<string, unknown>[]) =>
    rows.map(({ name, version, first, self, tasks: busy }) => ({ name, version, first, self, tasks: busy }));
  t.deepEqual(shown(await listed()), [
    { name: 'a', version: '1', first: true, self: false, tasks: 1 },
    { name: 'b', version: '1', first: false, self: true, tasks: 0 },
  ]);
  a!.die();
  const [b1, ...others] = await listed(); // which takes over what the other was at
  t.like(b1, { name: 'b', version: '1', first: true, self: true });
  t.deepEqual(others, []);
});

test('a daemon that is alone is the first of one', async (t) => {
  const { ask } = await startServer(t);
  const { json } = await ask('GET', '/api/member', { as: 'admin' });
  t.like((json.result as object[])[0], { first: true, self: true });
  t.is((json.result as object[]).length, 1);
  t.is((await ask('GET', '/api/member', { as: 'anonymous' })).status, 401);
});

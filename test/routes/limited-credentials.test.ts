import test from 'ava';
import { addImage, resultOf, said, startFleet } from '../support/managed.js';

// A token for one data center tells nothing of others, its user's own doings and credentials there included.

test('a token for one data center knows tasks and tokens of its kind only', async (t) => {
  const fleet = await startFleet(t);
  const { root, ask, deps } = fleet;
  await addImage(fleet, 'base');
  const secretOf = async (name: string) =>
    String(resultOf(await root('POST', `/api/token/${name}`, { dc: 'east' })).token);
  const headers = { authorization: `Bearer ${await secretOf('eastern')}` };
  await secretOf('other');
  const limited = (method: string, path: string, body?: object) =>
    ask(method, path, { as: 'anonymous', headers, ...(body && { body }) });

  const bulk = { action: 'label', images: ['base'], label: 'star' };
  const whole = String((await root('POST', '/api/bulk/image', bulk)).json.task_id);
  const started = await limited('POST', '/api/bulk/image', bulk);
  t.is(started.status, 201, String(started.bytes));
  const own = String(started.json.task_id);
  for (const id of [whole, own]) await deps.tasks.settled(id, new AbortController().signal);
  t.deepEqual(resultOf(await limited('GET', '/api/task')), [own] as never);
  t.is((await limited('GET', `/api/task/${own}/status`)).status, 200);
  for (const path of [`/api/task/${whole}`, `/api/task/${whole}/status`]) {
    t.is(said(await limited('GET', path)), '404 ResourceNotFound', path);
  }
  t.is(said(await limited('PUT', `/api/task/${whole}/cancel`, {})), '404 ResourceNotFound');

  const names = resultOf<{ name: string }[]>(await limited('GET', '/api/token?full')).map(({ name }) => name);
  t.deepEqual(names, ['eastern', 'other']);
  t.is(said(await limited('GET', '/api/token/test')), '404 ResourceNotFound');
  t.is(said(await limited('DELETE', '/api/token/test')), '404 ResourceNotFound');
  t.is((await limited('DELETE', '/api/token/other')).status, 200);
  t.is((await root('GET', '/api/token/test')).status, 200, 'the other one is good still');
});

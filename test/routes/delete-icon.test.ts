import test from 'ava';
import { sweep } from '../../server/operations/sweep.js';
import { addUser } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { holders, kept, told } from '../support/told.js';

const addIcon = ({ ask }: TestServer, uuid: string, body = 'an icon') =>
  ask('PUT', `/images/${uuid}/icon`, { body, headers: { 'content-type': 'image/png' } });

test('the manifest is as it was before there was an icon', async (t) => {
  for (const activate of [false, true]) {
    const server = await startServer(t);
    const before = await server.image({}, { activate });
    await addIcon(server, before.uuid);
    const { status, json, headers } = await server.ask('DELETE', `/images/${before.uuid}/icon`);
    t.is(status, 200);
    t.deepEqual(json, before);
    const got = await server.ask('GET', `/images/${before.uuid}`, { as: 'admin' });
    t.is(got.headers.etag, headers.etag);
    t.deepEqual(got.json, before);
    t.is((await server.ask('GET', `/images/${before.uuid}/icon`, { as: 'admin' })).status, 404);
  }
});

test('an icon that is not there can not be deleted, and neither can one twice', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const remove = () => server.ask('DELETE', `/images/${uuid}/icon`);
  t.is(told(await remove()), '404 ResourceNotFound');
  await addIcon(server, uuid);
  t.is((await remove()).status, 200);
  t.is(told(await remove()), '404 ResourceNotFound');
  t.is((await addIcon(server, uuid)).status, 200, 'and it can be put again');
});

test('of two deletions at once one finds the icon', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  await addIcon(server, uuid);
  const answers = await Promise.all([0, 1].map(() => server.ask('DELETE', `/images/${uuid}/icon`)));
  t.deepEqual(answers.map(told).sort(), ['200', '404 ResourceNotFound']);
});

test('an account deletes its own', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const { uuid } = await server.image({ owner: user.uuid });
  await addIcon(server, uuid);
  t.is((await server.ask('DELETE', `/images/${uuid}/icon?account=${user.uuid}`)).status, 200);
});

test('the bytes go after their grace, those of the file stay', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 60 });
  const { uuid } = await server.image();
  await addIcon(server, uuid);
  await server.ask('DELETE', `/images/${uuid}/icon`);
  t.deepEqual((await holders(server)).sort(), [[], [`${uuid}/file0`]]);
  time += 59_000;
  await sweep(server.deps);
  t.is((await kept(server)).whole, 2);
  time += 1000;
  await sweep(server.deps);
  t.is((await kept(server)).whole, 1);
  t.is((await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).status, 200);
});

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { addUser } from '../support/fixtures.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { signedHeaders, sshKey } from '../support/ssh-keys.js';

test('answers with an empty object', async (t) => {
  const { ask } = await startServer(t);
  const { status, headers, bytes } = await ask('POST', '/authkeys/reload');
  t.is(status, 200);
  t.is(headers['content-type'], 'application/json');
  t.is(bytes.toString(), '{}');
});

test('also where nobody needs keys', async (t) => {
  const { ask } = await startServer(t, { authType: 'none' });
  const { status, json } = await ask('POST', '/authkeys/reload', { as: 'anonymous' });
  t.is(status, 200);
  t.deepEqual(json as object, {});
});

test('ignores a body', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask('POST', '/authkeys/reload', { body: '{not json' })).status, 200);
});

const key = sshKey('ed25519');
const signed = () => signedHeaders({ key, keyId: 'ops', algorithm: 'ed25519-sha512' });

test('what was written before is in force when it answers, and what was removed is not', async (t) => {
  const directory = await scratch(t);
  const { ask } = await startServer(t, { keys: { directory } });
  const status = async () => (await ask('GET', '/state', { headers: signed() })).status;
  t.is(await status(), 401);
  for (let round = 0; round < 5; round += 1) {
    await writeFile(join(directory, 'ops.keys'), key.line);
    t.is((await ask('POST', '/authkeys/reload')).status, 200);
    t.is(await status(), 200);
    await rm(join(directory, 'ops.keys'));
    t.is((await ask('POST', '/authkeys/reload')).status, 200);
    t.is(await status(), 401);
  }
});

test('a signed caller may ask for it, one who is no operator may not', async (t) => {
  const server = await startServer(t, { keys: { authKeys: { ops: [key.line] } } });
  t.is((await server.ask('POST', '/authkeys/reload', { headers: signed() })).status, 200);
  const { headers } = await addUser(server, 'someone');
  const { status, json } = await server.ask('POST', '/authkeys/reload', { headers });
  t.is(status, 403);
  t.is(json.code, 'OperatorOnly');
});

test('when it fails it says so, and the keys from before stay', async (t) => {
  const directory = await scratch(t);
  await writeFile(join(directory, 'ops.keys'), key.line);
  const { ask } = await startServer(t, { keys: { directory } });
  // what should be a directory is a file
  await writeFile(join(directory, 'local'), '');
  const { status, json } = await ask('POST', '/authkeys/reload');
  t.is(status, 500);
  t.is(json.code, 'InternalError');
  t.is((await ask('GET', '/state', { headers: signed() })).status, 200);
});

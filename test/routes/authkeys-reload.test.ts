import test from 'ava';
import { startServer } from '../support/server.js';

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

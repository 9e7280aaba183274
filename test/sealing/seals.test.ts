import { randomBytes } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Seals } from '../../server/sealing/seals.js';
import { readSecretsKey } from '../../server/sealing/secrets-key.js';
import { startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';

const sealsWith = (key = randomBytes(32)) => new Seals({ what: 'the test', key });

test('what was sealed opens for its purpose, with its key, unchanged; and is another each time', async (t) => {
  const seals = sealsWith();
  const sealed = await seals.seal('päss', 'purpose');
  t.is(seals.open(sealed, 'purpose'), 'päss');
  t.not(await seals.seal('päss', 'purpose'), sealed);
  t.throws(() => seals.open(sealed, 'other purpose'), { message: /has been changed/ });
  const at = sealed.length - 3;
  const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
  t.throws(() => seals.open(changed, 'purpose'), { message: /has been changed/ });
  t.throws(() => sealsWith().open(sealed, 'purpose'), { message: /another key.*put that key back/ });
  t.false(sealed.includes('päss'));
});

test('the key is made at the first need, once, for the daemon alone', async (t) => {
  const path = join(await scratch(t), 'secrets-key');
  const seals = new Seals(readSecretsKey(undefined, path, {}));
  await t.throwsAsync(stat(path), { code: 'ENOENT' });
  const all = await Promise.all(['a', 'b', 'c'].map((text) => seals.seal(text, 'p')));
  t.is((await stat(path)).mode & 0o777, 0o600);
  const again = new Seals(readSecretsKey(undefined, path, {}));
  t.deepEqual(
    all.map((sealed) => again.open(sealed, 'p')),
    ['a', 'b', 'c'],
  );
});

test('no second key is made where the first one is missing', async (t) => {
  const path = join(await scratch(t), 'secrets-key');
  const seals = new Seals(readSecretsKey(undefined, path, {}), async () => true);
  await t.throwsAsync(seals.seal('a', 'p'), { message: /put that key back/ });
  await t.throwsAsync(stat(path), { code: 'ENOENT' });
});

test('a key that is the operator’s is read from its file or variable', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'key');
  const key = randomBytes(32);
  await writeFile(path, `${key.toString('base64')}\n`, { mode: 0o600 });
  t.deepEqual(readSecretsKey(path, 'own', {}).key, key);
  t.deepEqual(readSecretsKey('env:KEY', 'own', { KEY: key.toString('hex') }).key, key);
  t.throws(() => readSecretsKey('env:KEY', 'own', {}), { message: /KEY is not set/ });
  t.throws(() => readSecretsKey(join(directory, 'none'), 'own', {}), { message: /there is no file/ });
  const short = t.throws(() => readSecretsKey('env:KEY', 'own', { KEY: 'too-short' }), {
    message: /no key of 32 bytes/,
  });
  t.false(short?.message.includes('too-short'));
  await chmod(path, 0o640);
  t.throws(() => readSecretsKey(path, 'own', {}), { message: /others can read/ });
});

test('with the wrong key the daemon starts and says so; with the right one all is there again', async (t) => {
  const first = await startDaemon(t);
  const body = { host: 'a.example', type: 'bearer', value: 'v' };
  t.is((await first.ask('POST', '/api/secret/source', { body })).status, 201);
  const path = join(first.data, 'secrets-key');
  const right = await readFile(path, 'utf8');
  await first.kill('SIGTERM');

  await rm(path);
  const without = await startDaemon(t, { data: first.data });
  await without.logged(({ msg }) => /not the one that these secrets were sealed with: source/.test(msg));
  const refused = await without.ask('POST', '/api/secret/other', { body });
  t.is(refused.status, 503);
  t.regex(refused.json.message ?? '', /put that key back/);
  await without.kill('SIGTERM');
  await t.throwsAsync(stat(path), { code: 'ENOENT' });

  await writeFile(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const wrong = await startDaemon(t, { data: first.data });
  await wrong.logged(({ msg }) => /not the one that these secrets were sealed with: source/.test(msg));
  t.is((await wrong.ask('GET', '/api/secret/source', { as: 'admin' })).status, 200);
  await wrong.kill('SIGTERM');

  await writeFile(path, right, { mode: 0o600 });
  const last = await startDaemon(t, { data: first.data });
  t.is((await last.ask('PUT', '/api/secret/source', { body: { value: 'w' } })).status, 200);
  const { stderr } = await last.kill('SIGTERM');
  t.false(stderr.includes('sealed with'));
});

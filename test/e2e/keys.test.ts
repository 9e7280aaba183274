import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava from 'ava';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { signedHeaders, sshKey, type TestKey } from '../support/ssh-keys.js';

// one process after the other
const test = ava.serial;

const rsa = sshKey('rsa');
const ed25519 = sshKey('ed25519');

const byRsa = { key: rsa, algorithm: 'rsa-sha256' };
const byEd25519 = { key: ed25519, algorithm: 'ed25519-sha512' };

async function status({ ask }: Daemon, keyId: string, by: { key: TestKey; algorithm: string }): Promise<number> {
  return (await ask('GET', '/state', { headers: signedHeaders({ ...by, keyId }) })).status;
}

/** That keys were loaded and these were their numbers, for the first time. */
const loaded = (daemon: Daemon, users: number, keys: number) =>
  daemon.logged((line) => line.msg === 'keys loaded' && line.users === users && line.keys === keys);

/** As careful hands do it: whole or not at all. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

test('keys of the configuration, and of files beside it', async (t) => {
  const daemon = await startDaemon(t, { config: { authKeys: { ops: [rsa.line, 'ssh-rsa nonsense'] } } });
  t.is((await stat(join(daemon.data, 'authkeys'))).mode & 0o777, 0o700);
  t.like(await daemon.logged('key ignored'), { file: 'authKeys.ops in the configuration', line: 2 });
  t.is(await status(daemon, 'ops', byRsa), 200);
  t.is(await status(daemon, 'ops', byEd25519), 401);
});

test('keys change under a running daemon, and no request fails', async (t) => {
  const daemon = await startDaemon(t, { config: { authKeys: { steady: [rsa.line] } } });
  const file = join(daemon.data, 'authkeys', 'ops.keys');
  const seen = new Map<number, number>();
  let isOver = false;
  const stream = async () => {
    while (!isOver) {
      const answer = await status(daemon, 'steady', byRsa);
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
    }
  };
  const streams = [stream(), stream(), stream()];

  t.is(await status(daemon, 'ops', byEd25519), 401);
  await put(file, ed25519.line);
  await loaded(daemon, 2, 2);
  t.is(await status(daemon, 'ops', byEd25519), 200);
  t.is(await status(daemon, 'ops', byRsa), 401);

  await put(file, `${ed25519.line}\n${rsa.line}\nssh-rsa AAAA`);
  await loaded(daemon, 2, 3);
  t.like(await daemon.logged('key ignored'), { file, line: 3 });
  t.is(await status(daemon, 'ops', byEd25519), 200);
  t.is(await status(daemon, 'ops', byRsa), 200);

  await put(file, '# nobody\n');
  // There was one key before, too, and a file that is still written to may have it told again.
  let wereThree = false;
  await daemon.logged((line) => {
    wereThree ||= line.msg === 'keys loaded' && line.keys === 3;
    return wereThree && line.msg === 'keys loaded' && line.keys === 1;
  });
  t.is(await status(daemon, 'ops', byEd25519), 401);
  t.is(await status(daemon, 'ops', byRsa), 401);

  isOver = true;
  await Promise.all(streams);
  t.deepEqual([...seen.keys()], [200]);
  t.true(seen.get(200)! > 20, `${seen.get(200)} requests`);
});

test('a file that goes takes its keys along', async (t) => {
  const daemon = await startDaemon(t);
  const directory = join(daemon.data, 'authkeys', 'local');
  await mkdir(directory);
  await put(join(directory, 'ops.keys'), rsa.line);
  await loaded(daemon, 1, 1);
  t.is(await status(daemon, 'ops', byRsa), 200);
  await put(join(directory, 'another.keys'), ed25519.line);
  await rm(join(directory, 'ops.keys'));
  await daemon.logged((line) => line.msg === 'new operators, by their keys' && String(line.users) === 'another');
  await daemon.ask('POST', '/authkeys/reload');
  t.is(await status(daemon, 'ops', byRsa), 401);
  t.is(await status(daemon, 'another', byEd25519), 200);
});

test('a hang-up reads the keys again and does not end the daemon', async (t) => {
  const daemon = await startDaemon(t);
  await put(join(daemon.data, 'authkeys', 'ops.keys'), rsa.line);
  daemon.child.kill('SIGHUP');
  await loaded(daemon, 1, 1);
  t.is(await status(daemon, 'ops', byRsa), 200);
  t.is((await daemon.kill('SIGTERM')).code, 0);
});

test('whoever has signed once is the same user after a restart', async (t) => {
  const first = await startDaemon(t, { config: { authKeys: { ops: [rsa.line] } } });
  const body = { name: 'a', version: '1', os: 'smartos', type: 'zone-dataset', public: false };
  const headers = () => signedHeaders({ ...byRsa, keyId: 'ops' });
  const { json } = await first.ask('POST', '/images', { body, headers: headers() });
  await first.kill('SIGTERM');
  await rm(join(first.data, 'authkeys'), { recursive: true });
  const second = await startDaemon(t, { data: first.data, config: { authKeys: { ops: [rsa.line] } } });
  const again = await second.ask('POST', '/images', { body: { ...body, version: '2' }, headers: headers() });
  t.is(again.json.owner, json.owner);
});

test('no key, and no signature, is in the log', async (t) => {
  const daemon = await startDaemon(t);
  const secret = 'c2VjcmV0IG1hdGVyaWFsIG9mIGEga2V5';
  await put(join(daemon.data, 'authkeys', 'ops.keys'), `ssh-rsa ${secret}\n${rsa.line}`);
  await loaded(daemon, 1, 1);
  const headers = signedHeaders({ ...byRsa, keyId: 'ops' });
  const signature = /signature="([^"]*)"/.exec(headers.authorization!)![1]!;
  t.is((await daemon.ask('GET', '/state', { headers })).status, 200);
  t.is((await daemon.ask('GET', '/state', { headers: { ...headers, date: 'never' } })).status, 401);
  const { stdout, stderr } = await daemon.kill('SIGTERM');
  const said = `${stdout}${stderr}`;
  for (const text of [
    secret,
    signature,
    rsa.line.split(' ')[1]!,
    await readFile(join(daemon.data, 'admin-token'), 'utf8'),
  ]) {
    t.false(said.includes(text.trim()), text);
  }
});

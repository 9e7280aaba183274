import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sshpk from 'sshpk';
import { type Cli, cli, serversFile, sharedDaemon } from '../support/cli.js';
import { isMet } from '../support/needs.js';
import { startAgent } from '../support/ssh-agent.js';
import { type KeyKind, sshKey, type TestKey } from '../support/ssh-keys.js';

const kinds: KeyKind[] = ['rsa', 'dsa', 'ecdsa-256', 'ecdsa-384', 'ecdsa-521', 'ed25519'];

const daemon = sharedDaemon(test, { config: { authKeys: { alice: kinds.map((kind) => sshKey(kind).line) } } });

/** A key in a file of this home, as this program writes it. */
async function keyFile({ home }: Cli, key: TestKey, format: 'pkcs8' | 'openssh' = 'pkcs8'): Promise<string> {
  const path = join(home, `key-${format}`);
  const text = format === 'pkcs8' ? key.pem : sshpk.parsePrivateKey(key.pem, 'pem').toString('openssh');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const isAlice = () => ({ code: 0, stdout: `${daemon().url} has version 0.1.0; you are alice\n`, stderr: '' });
const asAlice = () => ({ SLIPWAY_URL: daemon().url, SLIPWAY_USER: 'alice' });

for (const kind of kinds) {
  test(`a key of kind ${kind} in a file signs, in both forms`, async (t) => {
    const home = await cli(t, { SLIPWAY_URL: daemon().url });
    const pkcs8 = await keyFile(home, sshKey(kind));
    t.like(await home.run(['ping', '--user', 'alice', '--key', pkcs8]), isAlice());
    const openssh = await keyFile(home, sshKey(kind), 'openssh');
    t.like(await home.run(['ping'], { env: { SLIPWAY_USER: 'alice', SLIPWAY_KEY: openssh } }), isAlice());
  });
}

test('every request of a command is signed anew', async (t) => {
  const home = await cli(t, asAlice());
  const key = await keyFile(home, sshKey('ed25519'));
  // for a name, then for the beginning of a uuid
  const { code, stderr } = await home.run(['show', 'ffffffff', '--key', key]);
  t.is(code, 1);
  t.regex(stderr, /there is no image "ffffffff"/);
});

test('login with a key keeps where it is, and nothing of the key', async (t) => {
  const home = await cli(t);
  const path = await keyFile(home, sshKey('ed25519'));
  const login = ['login', 'main', '--url', daemon().url, '--user', 'alice', '--key', 'key-pkcs8'];
  t.like(await home.run(login), { code: 0 });
  t.true((await readFile(serversFile(home), 'utf8')).includes(`key = "${path}"`), 'the whole path');
  t.like(await home.run(['ping'], { cwd: '/' }), isAlice());
});

test('a key that the server does not know, and a user that it does not know, are not logged in', async (t) => {
  const home = await cli(t, { SLIPWAY_URL: daemon().url });
  const known = await keyFile(home, sshKey('rsa'));
  const unknown = join(home.home, 'unknown');
  await writeFile(unknown, sshKey('rsa', 'of nobody').pem);
  for (const args of [
    ['--user', 'alice', '--key', unknown],
    ['--user', 'bob', '--key', known],
  ]) {
    const { code, stdout, stderr } = await home.run(['ping', ...args]);
    t.deepEqual({ code, stdout }, { code: 4, stdout: '' });
    t.regex(stderr, /^slipway: the signature is not by a key .*\nhint: log in with "slipway login"/);
  }
});

const unusable: [what: string, content: string, message: RegExp][] = [
  ['is no key', 'nonsense', /holds no ssh key/],
  ['is cut short', sshKey('rsa').pem.slice(0, 300), /holds no key that can sign\nhint: is the file whole\?/],
  [
    'is encrypted, without a terminal',
    sshKey('rsa')
      .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString(),
    /needs a passphrase, and there is no terminal to ask on\nhint: add it to the ssh-agent: ssh-add/,
  ],
  [
    'is encrypted by ssh-keygen, without a terminal',
    sshpk
      .parsePrivateKey(sshKey('rsa').pem, 'pem')
      .toString('openssh', { passphrase: 'x', cipher: 'aes256-ctr' } as never),
    /needs a passphrase, and there is no terminal to ask on/,
  ],
  ['is a public half, without an agent', sshKey('rsa').line, /there is no ssh-agent: SSH_AUTH_SOCK is not set/],
];

for (const [what, content, message] of unusable) {
  test(`a key file that ${what} is told of`, async (t) => {
    const { run, home } = await cli(t, asAlice());
    await writeFile(join(home, 'key'), content);
    const { code, stdout, stderr } = await run(['ping', '--key', 'key']);
    t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    t.regex(stderr, message);
  });
}

test('a directory where a file should be is named', async (t) => {
  const { run, home } = await cli(t, asAlice());
  for (const args of [
    ['--key', home],
    ['--key', 'none', '--ca', home],
  ]) {
    t.like(await run(['ping', ...args]), { code: 1, stderr: `slipway: ${home}: is a directory\n` });
  }
  t.like(await run(['create', '-m', home]), { code: 1, stderr: `slipway: ${home}: is a directory\n` });
});

test('a user whose name would change the header is refused', async (t) => {
  const home = await cli(t, { SLIPWAY_URL: daemon().url });
  const key = await keyFile(home, sshKey('rsa'));
  const { code, stderr } = await home.run(['ping', '--user', 'alice",x="', '--key', key]);
  t.is(code, 1);
  t.regex(stderr, /is not the name of a user/);
});

test('the agent: its first key that the server accepts, which login remembers', async (t) => {
  const { socket, signed } = await startAgent(t, [sshKey('rsa', 'of nobody'), sshKey('ecdsa-384'), sshKey('rsa')]);
  const home = await cli(t, { SSH_AUTH_SOCK: socket });
  t.like(await home.run(['ping'], { env: asAlice() }), isAlice());
  t.is(signed(), 3, 'two were tried, one of them is used');

  t.like(await home.run(['login', 'main', '--url', daemon().url, '--user', 'alice', '--agent']), { code: 0 });
  const before = signed();
  t.like(await home.run(['ping']), isAlice());
  t.is(signed(), before + 1, 'nothing was tried');
  t.regex(await readFile(serversFile(home), 'utf8'), /key = "SHA256:[^"]+"/);
});

test('the agent: the key of a fingerprint, and of a public half', async (t) => {
  const { socket } = await startAgent(t, [sshKey('rsa', 'of nobody'), sshKey('ed25519')]);
  const { run, home } = await cli(t, { ...asAlice(), SSH_AUTH_SOCK: socket });
  await writeFile(join(home, 'key.pub'), sshKey('ed25519').line);
  const fingerprint = sshpk.parseKey(sshKey('ed25519').line, 'ssh').fingerprint('sha256').toString();
  t.like(await run(['ping', '--key', fingerprint]), isAlice());
  t.like(await run(['ping', '--key', 'key.pub']), isAlice());

  await writeFile(join(home, 'other.pub'), sshKey('ecdsa-256').line);
  const old = sshpk.parseKey(sshKey('ed25519').line, 'ssh').fingerprint('md5').toString('hex');
  t.regex(old, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  t.like(await run(['login', '--key', old, '--user', 'alice']), { code: 0 });

  const { code, stderr } = await run(['ping', '--key', 'other.pub']);
  t.is(code, 1);
  t.is(stderr, 'slipway: the ssh-agent does not hold the key other.pub\nhint: add it with ssh-add\n');
});

test('the agent: an encrypted key that it holds is not asked for', async (t) => {
  const { socket } = await startAgent(t, [sshKey('ed25519')]);
  const { run, home } = await cli(t, { ...asAlice(), SSH_AUTH_SOCK: socket });
  const { privateKey, line } = sshKey('ed25519');
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  await writeFile(join(home, 'key'), privateKey.export(encrypted));
  await writeFile(join(home, 'key.pub'), line);
  t.like(await run(['ping', '--key', 'key']), isAlice());
});

test('the agent: none of its keys is known, or it has none', async (t) => {
  const strangers = await startAgent(t, [sshKey('rsa', 'of nobody'), sshKey('ed25519', 'of nobody')]);
  const empty = await startAgent(t, []);
  const { run } = await cli(t, asAlice());
  const stranger = await run(['ping'], { env: { SSH_AUTH_SOCK: strangers.socket } });
  t.is(stranger.code, 4);
  t.regex(stranger.stderr, /^slipway: none of the 2 keys of the ssh-agent is one of alice's\nhint: add the right one/);
  const none = await run(['ping'], { env: { SSH_AUTH_SOCK: empty.socket } });
  t.like(none, { code: 1, stderr: 'slipway: the ssh-agent holds no key that can sign\nhint: add one with ssh-add\n' });
});

const withOpenSsh = isMet['ssh-agent and ssh-add'] ? test : test.skip;

withOpenSsh('the agent of OpenSSH, which needs ssh-agent and ssh-add', async (t) => {
  const home = await cli(t, asAlice());
  const socket = join(home.home, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => agent.kill());
  // it says where it is once it is there
  await once(agent.stdout, 'data');
  const env = { SSH_AUTH_SOCK: socket };
  for (const kind of ['rsa', 'ecdsa-256', 'ecdsa-384', 'ecdsa-521', 'ed25519'] as const) {
    const path = await keyFile(home, sshKey(kind), 'openssh');
    t.is(await ended(spawn('ssh-add', ['-q', path], { env: { ...process.env, ...env } })), 0);
    t.like(await home.run(['ping'], { env }), isAlice(), kind);
    t.is(await ended(spawn('ssh-add', ['-q', '-D'], { env: { ...process.env, ...env } })), 0);
  }
});

async function ended(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'close');
  return code;
}

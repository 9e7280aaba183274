import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import sshpk from 'sshpk';
import { Interrupted } from '../../cli/errors.js';
import { run } from '../../cli/run.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { sshKey } from '../support/ssh-keys.js';
import { type Terminal, terminal } from '../support/terminal.js';

interface Session extends Terminal {
  home: string;
  run(...args: string[]): Promise<number>;
  interrupt(): void;
}

/** Somebody at a terminal, with a home of their own. */
async function session(t: ExecutionContext, env: Record<string, string> = {}): Promise<Session> {
  const home = await scratch(t);
  const interrupt = new AbortController();
  const screen = terminal();
  return {
    ...screen,
    home,
    interrupt: () => interrupt.abort(new Interrupted('SIGTERM')),
    run: (...args) =>
      run(args, { io: screen.io, env: { HOME: home, ...env }, signal: interrupt.signal, version: '0.0.0-test' }),
  };
}

const serversOf = ({ home }: Session) => join(home, '.config', 'slipway', 'servers.toml');

test('login asks on a terminal for the token, which does not show', async (t) => {
  const { url, token } = await startServer(t);
  const s = await session(t, { SLIPWAY_URL: url });
  const exit = s.run('login');
  await s.answer(`Token for ${url} (it does not show): `, token);
  t.is(await exit, 0);
  t.is(s.out(), `logged in to ${url} as admin; it is called "127.0.0.1"\n`);
  t.false((s.err() + s.out()).includes(token));
  t.regex(await readFile(serversOf(s), 'utf8'), new RegExp(`token = "${token}"`));
});

test('login with nothing but the name of a known server goes back to it, if it takes what is kept', async (t) => {
  const [one, two] = [await startServer(t), await startServer(t)];
  const s = await session(t);
  for (const [name, { url, token }] of Object.entries({ one, two })) {
    await writeFile(join(s.home, name), token);
    t.is(await s.run('login', name, '--url', url, '--token-file', join(s.home, name)), 0);
  }
  const kept = await readFile(serversOf(s), 'utf8');
  t.regex(kept, /^default = "two"$/m);
  t.is(await s.run('login', 'one'), 0);
  t.is(await readFile(serversOf(s), 'utf8'), kept.replace('default = "two"', 'default = "one"'));
  t.true(s.out().endsWith(`logged in to ${one.url} as admin; it is called "one"\n`));

  await writeFile(serversOf(s), kept.replace(one.token, 'guessed'), { mode: 0o600 });
  const exit = s.run('login', 'one');
  await s.answer(`Token for ${one.url} (it does not show): `, one.token);
  t.is(await exit, 0);
  t.regex(s.err(), /does not take the former credentials any more/);
  t.is(await readFile(serversOf(s), 'utf8'), kept.replace('default = "two"', 'default = "one"'));
});

test('login with a key asks for the user', async (t) => {
  const { url } = await startServer(t, { keys: { authKeys: { alice: [sshKey('ed25519').line] } } });
  const s = await session(t);
  await writeFile(join(s.home, 'key'), sshKey('ed25519').pem);
  const exit = s.run('login', '--url', url, '--key', join(s.home, 'key'));
  await s.answer('User: ', 'alice');
  t.is(await exit, 0);
  t.regex(s.out(), /as alice/);
});

const PASSWORD = ' open sesame 12 ';

/** A server with a user of this password. */
async function withPassword(t: ExecutionContext, name: string) {
  const server = await startServer(t);
  await server.ask('POST', `/api/user/${name}`, { body: { password: PASSWORD } });
  return server;
}

test('login asks for a password, which is not kept: the token of its session is, until logout', async (t) => {
  const { url } = await withPassword(t, 'alice');
  const s = await session(t);
  const login = s.run('login', 'main', '--url', url, '--password');
  await s.answer('User: ', 'alice');
  await s.answer('Password of alice (it does not show): ', PASSWORD);
  t.is(await login, 0);
  t.is(s.out(), `logged in to ${url} as alice; it is called "main"\n`);
  const kept = await readFile(serversOf(s), 'utf8');
  t.regex(kept, /session = true/);
  t.false((kept + s.err() + s.out()).includes('sesame'));
  const [, token = ''] = /token = "(.*)"/.exec(kept) ?? [];
  t.is(await s.run('ping'), 0);
  t.is(await s.run('logout'), 0);
  t.regex(s.out(), /you are alice\nlogged out of main\n$/);
  const after = await session(t, { SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
  t.is(await after.run('whoami'), 4, 'the session has ended');
});

test('login with a wrong password leaves nothing', async (t) => {
  const { url } = await withPassword(t, 'alice');
  for (const [user, password] of [
    ['alice', PASSWORD.trim()],
    ['nobody', PASSWORD],
  ] as const) {
    const s = await session(t);
    const login = s.run('login', '--url', url, '--user', user, '--password');
    await s.answer(`Password of ${user} (it does not show): `, password);
    t.is(await login, 4);
    t.is(s.out(), '');
    await t.throwsAsync(access(serversOf(s)), { code: 'ENOENT' });
  }
});

test('a new password is typed twice, and set only where both are the same', async (t) => {
  const { url, token } = await withPassword(t, 'alice');
  const set = async (again: string) => {
    const s = await session(t, { SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
    const exit = s.run('user', 'password', 'alice');
    await s.answer('New password of alice (it does not show): ', 'another password');
    await s.answer('Once more: ', again);
    return { exit: await exit, out: s.out(), err: s.err() };
  };
  const login = async () => {
    const s = await session(t);
    const exit = s.run('login', '--url', url, '--user', 'alice', '--password');
    await s.answer('Password of alice', 'another password');
    return exit;
  };
  const different = await set('another passwort');
  t.deepEqual({ exit: different.exit, out: different.out }, { exit: 1, out: '' });
  t.regex(different.err, /these are two different passwords/);
  t.is(await login(), 4);
  const same = await set('another password');
  t.like(same, { exit: 0, out: 'the password of alice is set\n' });
  t.false(same.err.includes('another'));
  t.is(await login(), 0);
});

const { privateKey, pem, line } = sshKey('rsa');
const encrypted: [form: string, text: string][] = [
  [
    'PKCS 8',
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: ' open ' }).toString(),
  ],
  ['PEM', privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: ' open ' }).toString()],
  [
    'OpenSSH',
    sshpk.parsePrivateKey(pem, 'pem').toString('openssh', { passphrase: ' open ', cipher: 'aes256-ctr' } as never),
  ],
];

for (const [form, text] of encrypted) {
  test(`an encrypted key in the form of ${form} opens with its passphrase, which does not show`, async (t) => {
    const { url } = await startServer(t, { keys: { authKeys: { alice: [line] } } });
    const ping = async (passphrase: string) => {
      const s = await session(t, { SLIPWAY_URL: url, SLIPWAY_USER: 'alice' });
      const key = join(s.home, 'key');
      await writeFile(key, text);
      const exit = s.run('ping', '--key', key);
      await s.answer(`Passphrase of ${key}: `, passphrase);
      return { exit: await exit, out: s.out(), err: s.err() };
    };
    const right = await ping(' open ');
    t.deepEqual({ exit: right.exit, shown: right.err.includes('open') }, { exit: 0, shown: false });
    t.regex(right.out, /you are alice/);
    for (const wrong of ['', 'a', 'b', 'open']) {
      const { exit, out, err } = await ping(wrong);
      t.deepEqual({ exit, out }, { exit: 1, out: '' });
      t.regex(err, /: the passphrase is wrong\n$/);
    }
  });
}

const endings: [what: string, end: (s: Session) => void, code: number, message: RegExp][] = [
  ['Ctrl-C', (s) => s.press('\x03'), 5, /interrupted by SIGINT\n$/],
  ['Ctrl-D', (s) => s.press('\x04'), 1, /nothing was entered\n$/],
  ['the end of the terminal', (s) => s.io.stdin.push(null), 1, /nothing was entered\n$/],
  ['SIGTERM', (s) => s.interrupt(), 5, /interrupted by SIGTERM\n$/],
];

for (const [what, end, code, message] of endings) {
  test(`${what} at a question ends the command, and nothing is kept`, async (t) => {
    const { url } = await startServer(t);
    const s = await session(t);
    const exit = s.run('login', '--url', url);
    await s.asked('Token');
    end(s);
    t.is(await exit, code);
    t.regex(s.err(), message);
    await t.throwsAsync(access(serversOf(s)), { code: 'ENOENT' });
  });
}

test('what is deleted is named, and stays unless somebody says yes', async (t) => {
  const { url, token, ask } = await startServer(t);
  await ask('POST', '/api/dc/north');
  const answering = async (answer: string) => {
    const s = await session(t, { SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
    const exit = s.run('dc', 'delete', 'north');
    await s.answer('Delete? [y/N] ', answer);
    t.true(s.err().startsWith('  data center north\n'));
    return { exit: await exit, out: s.out(), left: (await ask('GET', '/api/dc/north', { as: 'admin' })).status };
  };
  for (const no of ['', 'n', 'north']) t.deepEqual(await answering(no), { exit: 1, out: '', left: 200 });
  t.deepEqual(await answering('y'), { exit: 0, out: 'data center north is deleted\n', left: 404 });
});

test('whoever waits for a task sees how far it is, and nothing of it when it is done', async (t) => {
  const { url, token, image } = await startServer(t);
  const { uuid } = await image();
  const s = await session(t, { SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
  t.is(await s.run('image', 'bulk', 'label', uuid, '--label', 'star'), 0);
  t.regex(s.err(), /^\rtask [0-9a-f-]{36}(, \d of 1)?, \d+ s\x1b\[K/);
  t.true(s.err().endsWith('\r\x1b[K'));
  t.regex(s.out(), /SUCCESS/);
});

test('errors are red on a terminal, and only there', async (t) => {
  const s = await session(t);
  t.is(await s.run('show'), 1);
  t.is(await s.run('logout'), 1);
  t.true(s.err().endsWith('\x1b[31mslipway:\x1b[39m which server?\nhint: known are: none\n'));
});

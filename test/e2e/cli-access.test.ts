import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { type Cli, cli, serversFile, sharedDaemon } from '../support/cli.js';
import { remote } from '../support/remote.js';

const daemon = sharedDaemon(test);

const saved = (home: Cli) => readFile(serversFile(home), 'utf8');
const isSaved = (home: Cli) =>
  stat(serversFile(home)).then(
    () => true,
    () => false,
  );

async function writeServers(home: Cli, text: string): Promise<void> {
  await mkdir(dirname(serversFile(home)), { recursive: true });
  await writeFile(serversFile(home), text, { mode: 0o600 });
}

// --- login and logout

test('login proves a token, keeps it for its owner alone, and makes the server the default', async (t) => {
  const home = await cli(t);
  const { run } = home;
  const { url, token } = daemon();
  t.deepEqual(await run(['login', 'main', '--url', `${url}/`, '--token-stdin'], { input: `${token}\n` }), {
    code: 0,
    signal: null,
    stdout: `logged in to ${url} as admin; it is called "main"\n`,
    stderr: '',
  });
  t.is((await stat(serversFile(home))).mode & 0o777, 0o600);
  t.is((await stat(dirname(serversFile(home)))).mode & 0o777, 0o700);
  t.deepEqual(await readdir(dirname(serversFile(home))), ['servers.toml']);
  const asAdmin = { code: 0, stdout: `${url} has version 0.1.0; you are admin\n`, stderr: '' };
  t.like(await run(['ping']), asAdmin);
  t.like(await run(['ping', '--server', 'main']), asAdmin);
  t.like(await run(['ping', '--url', `${url}/`]), asAdmin, 'the same server by its URL');
});

test('login takes the token from a file, and the name from the host', async (t) => {
  const home = await cli(t);
  const login = ['login', '--url', daemon().url, '--token-file', join(daemon().data, 'admin-token')];
  t.like(await home.run(login), {
    code: 0,
    stdout: `logged in to ${daemon().url} as admin; it is called "127.0.0.1"\n`,
  });
  t.like(await home.run(login), { code: 0 }, 'again');
  t.is((await saved(home)).match(/\[servers\./g)?.length, 1);
});

const refusedLogins: [what: string, args: string[], code: number, message: RegExp, input?: string][] = [
  ['a wrong token', ['--token-stdin'], 4, /the credentials are not valid/, 'guessed'],
  ['an empty token', ['--token-stdin'], 1, /the token is empty/, '\n'],
  ['two lines', ['--token-stdin'], 1, /this is no token: it has blanks or line ends/, 'one\ntwo'],
  ['a missing file', ['--token-file', 'nowhere'], 1, /nowhere: does not exist/],
  ['nothing, without a terminal', [], 1, /how do you prove who you are\?\nhint: with --token-file/],
  ['a key without a user', ['--key', 'x'], 1, /a key needs the name of its user/],
  ['two proofs', ['--user', 'x', '--token-stdin'], 1, /cannot be used with option/],
  ['a key and the agent', ['--user', 'x', '--key', 'y', '--agent'], 1, /cannot be used with option/],
  ['a bad name', ['a/b', '--anonymous'], 1, /"a\/b" is not a name for a server/],
  ['a URL that is none', ['--anonymous', '--url', 'ftp://x'], 1, /"ftp:\/\/x" is not the URL of a server/],
  ['a secret in a bad URL', ['--anonymous', '--url', 'http://u:s@x:y'], 1, /^slipway: "http:\/\/…@x:y" is not the URL/],
  ['a secret in a URL', ['--anonymous', '--url', 'http://u:s@x'], 1, /^slipway: "http:\/\/…@x" has credentials in it/],
];

for (const [what, args, code, message, input] of refusedLogins) {
  test(`login with ${what} leaves nothing`, async (t) => {
    const home = await cli(t);
    const answer = await home.run(['login', '--url', daemon().url, ...args], { input: input ?? '' });
    t.deepEqual({ code: answer.code, stdout: answer.stdout }, { code, stdout: '' });
    t.regex(answer.stderr, message);
    t.false(await isSaved(home));
  });
}

test('a login that fails leaves the one before as it was', async (t) => {
  const home = await cli(t);
  const { url, token } = daemon();
  await home.run(['login', 'main', '--url', url, '--token-stdin'], { input: token });
  const before = await saved(home);
  t.is((await home.run(['login', 'main', '--token-stdin'], { input: 'guessed' })).code, 4);
  t.is(await saved(home), before);
  t.is((await home.run(['login', 'main', '--token-stdin'], { input: token })).code, 0, 'the URL is known');
});

test('a token that anybody on the way can read is warned of', async (t) => {
  const { run } = await cli(t);
  // an address of this machine that does not look like it
  const url = daemon().url.replace('127.0.0.1', '0.0.0.0');
  const { code, stderr } = await run(['login', '--url', url, '--token-stdin'], { input: daemon().token });
  t.is(code, 0);
  t.is(stderr, `slipway: warning: the token goes to ${url} as clear text; use https\n`);
});

test('several servers: by option, by variable, by default; logout forgets one', async (t) => {
  const home = await cli(t);
  const { run } = home;
  const { url, token } = daemon();
  await run(['login', 'main', '--url', url, '--token-stdin'], { input: token });
  t.like(await run(['login', 'open', '--url', `${url}/?x`, '--anonymous']), {
    code: 0,
    stdout: `logged in to ${url}/?x as nobody; it is called "open"\n`,
  });
  t.regex((await run(['ping'])).stdout, /you are not logged in/, 'the last login is the default');
  t.regex((await run(['ping', '--server', 'main'])).stdout, /you are admin/);
  t.regex((await run(['ping'], { env: { SLIPWAY_SERVER: 'main' } })).stdout, /you are admin/);
  t.regex((await run(['ping'], { env: { SLIPWAY_TOKEN: token } })).stdout, /you are admin/);
  const both = await run(['ping'], { env: { SLIPWAY_SERVER: 'main', SLIPWAY_URL: url } });
  t.like(both, { code: 1, stderr: 'slipway: SLIPWAY_SERVER and SLIPWAY_URL are both set\nhint: unset one of them\n' });
  t.like(await run(['ping', '--server', 'other']), {
    code: 1,
    stderr:
      'slipway: no server is called "other"\nhint: known are: main, open; "slipway login other --url URL" adds it\n',
  });

  t.like(await run(['logout']), { code: 0, stdout: 'logged out of open\n' });
  t.like(await run(['logout']), { code: 1, stderr: 'slipway: which server?\nhint: known are: main\n' });
  t.like(await run(['ping']), {
    code: 1,
    stderr: 'slipway: no server is meant\nhint: name one with --server: main; "slipway login" makes one the default\n',
  });
  t.like(await run(['logout', 'open']), { code: 1 });
  t.like(await run(['logout', 'main']), { code: 0 });
  t.false((await saved(home)).includes(token));
});

test('two servers on one host need names', async (t) => {
  const home = await cli(t);
  await writeServers(home, '[servers."127.0.0.1"]\nurl = "http://127.0.0.1:1"\n');
  const { code, stderr } = await home.run(['login', '--url', daemon().url, '--anonymous']);
  t.is(code, 1);
  t.regex(stderr, /http:\/\/127.0.0.1:1 is called "127.0.0.1" already\nhint: give the other one a name/);
});

test('a token of the environment that no header can hold is refused before it is sent', async (t) => {
  const { run } = await cli(t, { SLIPWAY_URL: 'http://127.0.0.1:1', SLIPWAY_TOKEN: 'one\ntwo' });
  const { code, stderr } = await run(['ping']);
  t.deepEqual({ code, stderr }, { code: 1, stderr: 'slipway: this is no token: it has blanks or line ends in it\n' });
});

// --- The file of servers

const broken: [what: string, text: string, message: RegExp][] = [
  ['is no TOML', 'default = [', /servers.toml is broken: /],
  ['has an unknown key', 'defualt = "x"', /it has an unknown key: defualt/],
  ['has an unknown key in a server', '[servers.x]\nurl = "http://x"\ntokn = "y"', /servers.x has an unknown key: tokn/],
  ['has a server that is none', '[servers]\nx = 1', /servers.x must be a table/],
  ['has a server without URL', '[servers.x]\ntoken = "y"', /servers.x has no url/],
  ['has a wrong type', '[servers.x]\nurl = 1', /servers.x.url must be a string/],
  ['names a default that is not there', 'default = "x"', /default names no server: "x"/],
];

for (const [what, text, message] of broken) {
  test(`a file of servers that ${what} is refused and left as it is`, async (t) => {
    const home = await cli(t);
    await writeServers(home, text);
    for (const args of [['ping'], ['login', '--url', daemon().url, '--anonymous']]) {
      const { code, stdout, stderr } = await home.run(args);
      t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      t.regex(stderr, message);
      t.true(stderr.endsWith('\nhint: correct it, or delete it and log in again\n'));
    }
    t.is(await saved(home), text);
  });
}

test('a file of servers that others can read is warned of, and so is not what is written anew', async (t) => {
  const home = await cli(t);
  await home.run(['login', 'main', '--url', daemon().url, '--anonymous']);
  await chmod(serversFile(home), 0o644);
  const { code, stderr } = await home.run(['ping']);
  t.is(code, 0);
  t.regex(stderr, /^slipway: warning: others can read .*servers.toml: run "chmod 600 .*"\n$/);
  await home.run(['login', 'main', '--url', daemon().url, '--anonymous']);
  t.is((await home.run(['ping'])).stderr, '');
});

test('a file of servers that can not be written is told of, and no piece of it is left', async (t) => {
  const home = await cli(t);
  await writeFile(join(home.home, '.config'), 'a file where a directory should be');
  const { code, stderr } = await home.run(['login', '--url', daemon().url, '--anonymous']);
  t.is(code, 1);
  t.regex(stderr, /^slipway: .*\.config\/slipway.*: is not below a directory\n$/);
  t.deepEqual(await readdir(home.home), ['.config']);
  t.is((await home.run(['ping', '--url', daemon().url])).code, 0, 'what needs no login works without a home');
});

test('XDG_CONFIG_HOME is where the file is, and a link to it stays one', async (t) => {
  const home = await cli(t);
  const config = join(home.home, 'elsewhere');
  await mkdir(join(config, 'slipway'), { recursive: true });
  await writeFile(join(home.home, 'real.toml'), '', { mode: 0o600 });
  await symlink(join(home.home, 'real.toml'), join(config, 'slipway', 'servers.toml'));
  const env = { XDG_CONFIG_HOME: config };
  t.is((await home.run(['login', 'main', '--url', daemon().url, '--anonymous'], { env })).code, 0);
  t.regex(await readFile(join(home.home, 'real.toml'), 'utf8'), /default = "main"/);
  t.deepEqual((await readdir(home.home)).sort(), ['elsewhere', 'real.toml']);
  t.false(await isSaved(home));
});

// --- token

test('tokens are made, listed and revoked', async (t) => {
  const { url, token } = daemon();
  const { run } = await cli(t, { SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
  const made = await run(['token', 'create', 'ci', '--scope', 'read', '--expires', '90d']);
  t.is(made.code, 0);
  t.regex(made.stdout, /^slipway_\S+\n$/, 'the token and nothing else');
  t.is(made.stderr, 'slipway: token "ci" is admin\'s, of scope read; keep it, it is not shown again\n');
  const env = { SLIPWAY_TOKEN: made.stdout.trim() };
  t.regex((await run(['ping'], { env })).stdout, /you are admin/);
  t.like(await run(['token', 'create', 'more'], { env }), { code: 1 }, 'it may only read');

  const listed = await run(['token', 'list']);
  t.regex(
    listed.stdout,
    /^NAME +USER +SCOPE +DC +CREATED +EXPIRES +LAST USED\nci +admin +read +- +\S+Z +\S+Z +\S+Z\nfirst +admin +full +- +\S+Z +never +\S+Z\n$/,
  );
  t.false(listed.stdout.includes(env.SLIPWAY_TOKEN));
  const [ci] = JSON.parse((await run(['token', 'list', '--json'])).stdout);
  t.like(ci, { name: 'ci', user: 'admin', scope: 'read', expired: false });
  t.is((await run(['token', 'list', '-H', '--for', 'admin'])).stdout.split('\n').length, 3);

  t.like(await run(['token', 'create', 'ci']), { code: 1, stdout: '' }, 'it is there already');
  t.like(await run(['token', 'revoke', 'ci']), { code: 0, stdout: 'token ci is revoked\n' });
  t.like(await run(['ping'], { env }), { code: 4, stdout: '' });
  t.like(await run(['token', 'revoke', 'ci']), { code: 1, stderr: 'slipway: there is no token "ci"\n' });
  const whole = JSON.parse((await run(['token', 'create', 'other', '--for', 'admin', '-j'])).stdout);
  t.like(whole, { name: 'other', user: 'admin', scope: 'full' });
  t.regex(whole.token, /^slipway_/);
});

test('tokens that are none are not shown', async (t) => {
  const { url } = await remote(t, { 'GET /api/token': { status: 'SUCCESS', result: [{ name: 'x' }, 1, null] } });
  const { run } = await cli(t, { SLIPWAY_URL: url });
  t.like(await run(['token', 'list']), {
    code: 2,
    stdout: '',
    stderr: `slipway: ${new URL(url).host} sent no list of tokens\nhint: is this the URL of an image server?\n`,
  });
});

test('what is wrong with a token is told field by field', async (t) => {
  const { url, token } = daemon();
  const { run } = await cli(t, { SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
  const { code, stdout, stderr } = await run(['token', 'create', 'a b', '--expires', 'soon', '--for', 'nobody']);
  t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  t.regex(stderr, /^slipway: .*\n {2}name is not .*\n {2}expires is neither .*\nhint: correct this and try again\n$/);
  t.like(await run(['token', 'create', 'x', '--scope', 'root']), { code: 1 });
  t.like(await run(['token', 'list'], { env: { SLIPWAY_TOKEN: '' } }), { code: 4, stdout: '' });
});

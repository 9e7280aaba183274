import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { anImage, type Cli, cli } from '../support/cli.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { type Daemon, startDaemon } from '../support/daemon.js';

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

async function twoServers(
  t: Parameters<typeof cli>[0],
): Promise<{ a: Daemon; b: Daemon; shell: Cli; at(one: Daemon): object }> {
  const [a, b] = await Promise.all([startDaemon(t), startDaemon(t)]);
  const at = ({ url, token }: Daemon) => ({ env: { SLIPWAY_URL: url, SLIPWAY_TOKEN: token } });
  return { a, b, shell: await cli(t), at };
}

test('an image goes from one server to another by a file', async (t) => {
  const { a, b, shell, at } = await twoServers(t);
  const file = randomBytes(200_000).toString('hex');
  const base = await anImage(a, { name: 'base' }, file);
  const top = await anImage(a, { name: 'top', origin: base.uuid });
  const saved = await shell.run(['export', 'top', '-o', 'top.tar'], at(a));
  t.is(saved.code, 0, saved.stderr);
  t.is(saved.stdout, 'top.tar\n');
  t.is((await stat(join(shell.home, 'top.tar'))).mode & 0o777, 0o600);
  const again = await shell.run(['export', 'top', '-o', 'top.tar'], at(a));
  t.like(again, { code: 1, stdout: '' });
  t.regex(again.stderr, /top.tar exists already/);

  const brought = await shell.run(['import', 'top.tar', '--json'], at(b));
  t.is(brought.code, 0, brought.stderr);
  t.like(JSON.parse(brought.stdout), [
    { image: base.uuid, status: 'imported' },
    { image: top.uuid, status: 'imported' },
  ]);
  t.is((await b.ask('GET', `/images/${base.uuid}/file`, { as: 'admin' })).bytes.toString(), file);
  const here = await shell.run(['import', 'top.tar'], at(b));
  t.is(here.code, 0);
  t.regex(here.stdout, /base +present/);
});

test('and through a pipe', async (t) => {
  const { a, b, shell, at } = await twoServers(t);
  const { uuid } = await anImage(a, { name: 'base' }, 'x'.repeat(3_000_000));
  const env = {
    PATH: process.env.PATH,
    HOME: shell.home,
    A: a.url,
    B: b.url,
    TA: a.token,
    TB: b.token,
    CLI: main,
    NODE: process.execPath,
  };
  const line = 'SLIPWAY_TOKEN=$TA $NODE $CLI export base --url $A | SLIPWAY_TOKEN=$TB $NODE $CLI import - --url $B';
  const child = spawn('sh', ['-c', line], { env, cwd: shell.home, stdio: 'ignore' });
  t.is(await new Promise((resolve) => child.once('close', resolve)), 0);
  t.is((await b.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes.length, 3_000_000);
  t.like(await shell.run(['show', uuid], at(b)), { code: 0 });
});

test('what is cut leaves no half file, and what is damaged is told of', async (t) => {
  const { a, b, shell, at } = await twoServers(t);
  const { uuid } = await anImage(a, { name: 'base' }, 'x'.repeat(6_000_000));
  const way = await cuttingProxy(t, a.port, () => ({ down: 2_000_000 }));
  const { url } = way;
  const cut = await shell.run(['export', uuid, '-o', 'cut.tar'], { env: { SLIPWAY_URL: url, SLIPWAY_TOKEN: a.token } });
  t.is(cut.code, 3, cut.stderr);
  t.deepEqual(
    (await readdir(shell.home)).filter((name) => name.includes('cut')),
    [],
  );

  await shell.run(['export', uuid, '-o', 'whole.tar'], at(a));
  const bytes = await readFile(join(shell.home, 'whole.tar'));
  bytes[3_000_000] = 0x41;
  await writeFile(join(shell.home, 'damaged.tar'), bytes);
  const refused = await shell.run(['import', 'damaged.tar'], at(b));
  t.is(refused.code, 1);
  t.regex(refused.stdout, /refused +sha256 is/);
  t.is((await b.ask('GET', `/images/${uuid}`, { as: 'admin' })).status, 404);
  await writeFile(join(shell.home, 'none.tar'), 'nothing of that kind');
  const none = await shell.run(['import', 'none.tar'], at(b));
  t.is(none.code, 1);
  t.regex(none.stderr, /the tar is cut short|no tar/);
  t.regex((await shell.run(['import', 'nowhere.tar'], at(b))).stderr, /there is no file nowhere\.tar/);
});

test('a backup goes to standard output, and restore says how', async (t) => {
  const { a, shell, at } = await twoServers(t);
  const saved = await shell.run(['backup', '-o', '-'], at(a));
  t.is(saved.code, 0, saved.stderr);
  t.regex(saved.stdout, /^slipway-backup.json/);
  const how = await shell.run(['restore', 'b.tar']);
  t.is(how.code, 0);
  t.regex(how.stdout, /slipwayd --data DIR --restore b.tar\n/);
  const nobody = await shell.run(['backup', '-o', 'b.tar'], { env: { SLIPWAY_URL: a.url } });
  t.is(nobody.code, 4);
  t.deepEqual(
    (await readdir(shell.home)).filter((name) => name.startsWith('b.tar')),
    [],
  );
});

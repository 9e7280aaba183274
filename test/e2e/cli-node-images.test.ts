import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { cli } from '../support/cli.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { type SmartosNode, startSmartosNode } from '../support/smartos.js';

const lacking = (['sshd, to be talked to', 'zfs, to make a pool on a file'] as const).find((need) => !isMet[need]);
const test = lacking === undefined ? ava.serial : (ava.serial.skip as unknown as typeof ava.serial);
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const config = { publicUrl: 'http://images.test' };

/** The node finds the name at this daemon. */
const resolves = ({ state }: SmartosNode, { port }: Daemon) =>
  writeFile(join(state, '.curlrc'), `connect-to = "images.test:80:127.0.0.1:${port}"\n`);

async function start(t: ExecutionContext) {
  const node = await startSmartosNode(t);
  const daemon = await startDaemon(t, { config });
  const { run } = await cli(t);
  const as = (at: Daemon) => ({ env: { SLIPWAY_URL: at.url, SLIPWAY_TOKEN: at.token } });
  const done = async (at: Daemon, ...words: string[]) => {
    const { code, stdout, stderr } = await run(words, as(at));
    t.is(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  await resolves(node, daemon);
  await appendFile(join(node.sshd.directory, 'authorized_keys'), await done(daemon, 'node', 'key'));
  const { port, user } = node.sshd;
  const way = ['--address', '127.0.0.1', '--port', `${port}`, '--ssh-user', user];
  await done(daemon, 'node', 'add', 'n1', '--dcs', 'main', ...way);

  const { pool } = node;
  await pool.zfs('create', `${pool.name}/made`);
  await pool.write(`${pool.name}/made`, 'bytes', randomBytes(400_000));
  await pool.zfs('snapshot', `${pool.name}/made@final`);
  const file = join(await scratch(t), 'base.zfs');
  await writeFile(file, await pool.send(`${pool.name}/made@final`));
  const about = ['--name', 'base', '--version', '1.0', '--os', 'smartos', '--type', 'zone-dataset'];
  await done(daemon, 'upload', file, ...about, '--compression', 'none');
  return { node, daemon, run, done, as };
}

test(about('an image is brought onto a node, listed, kept while it is used, and removed, by commands'), async (t) => {
  const { node, daemon, run, done, as } = await start(t);
  const { name: pool } = node.pool;
  await done(daemon, 'node', 'refresh', 'n1');
  t.regex(await done(daemon, 'node', 'pools', 'n1'), new RegExp(`\\n${pool} +\\d+ +\\d+ +online +0 +0\\n`));
  t.is(await done(daemon, 'node', 'pull', 'n1', 'base'), `base is on n1, pool ${pool}\n`);
  t.regex(await done(daemon, 'node', 'images', 'n1'), /\n[0-9a-f-]{36} +base +1\.0 +ready +/);
  const again = await run(['node', 'pull', 'n1', 'base'], as(daemon));
  t.is(again.code, 1);
  t.regex(again.stderr, /is there already/);
  const [{ uuid } = { uuid: '' }] = JSON.parse(await done(daemon, 'node', 'images', 'n1', '--json'));
  const vm = await node.addVm({ alias: 'web1', image: uuid });
  await done(daemon, 'node', 'refresh', 'n1');
  t.regex(await done(daemon, 'node', 'clean', 'n1', '--yes'), /\n[0-9a-f-]{36} +base +SKIPPED +.*is used by web1/);
  t.is((await run(['node', 'drop', 'n1', 'base', '--yes'], as(daemon))).code, 1);
  await vm.remove();
  await done(daemon, 'node', 'refresh', 'n1');
  t.is((await run(['node', 'drop', 'n1', 'base'], as(daemon))).code, 1, 'nobody was asked');
  t.is(await done(daemon, 'node', 'drop', 'n1', 'base', '--yes'), `base is gone from n1, pool ${pool}\n`);
  t.is(await done(daemon, 'node', 'images', 'n1', '--no-header'), '');
  await done(daemon, 'node', 'pull', 'n1', 'base', '--pool', pool);
  t.regex(await done(daemon, 'image', 'delete', 'base', '--yes'), /is deleted/);
  t.false((await node.pool.zfs('list', '-H', '-o', 'name', '-r', pool)).includes(uuid), 'the node has it no more');
});

test(about('a pull goes on after the daemon was killed, and nothing tells its token'), async (t) => {
  const { node, daemon, done } = await start(t);
  const fifo = join(await scratch(t), 'begun');
  spawnSync('mkfifo', [fifo]);
  await node.tools.put('imgadm', `case $1 in list) echo '[]';; import) echo "$@" > '${fifo}'; exec sleep 600;; esac`);
  const told = createReadStream(fifo, 'utf8');
  const task = (await done(daemon, 'node', 'pull', 'n1', 'base', '--pool', node.pool.name, '--no-wait')).trim();
  const [said] = (await once(told, 'data')) as [string];
  const [, secret = ''] = /\/n\/slipway_([\w-]{32})/.exec(said) ?? [];
  t.is(secret.length, 32);
  const first = await daemon.kill('SIGKILL');
  daemon.close();
  await node.restore('imgadm');

  const after = await startDaemon(t, { data: daemon.data, config });
  await resolves(node, after);
  await done(after, 'task', 'wait', task);
  t.regex(await done(after, 'node', 'images', 'n1', '--pool', node.pool.name), / ready /);
  t.is((await after.ask('GET', `/n/slipway_${secret}/images`)).status, 401);
  t.notRegex(await done(after, 'node', 'token', 'list', 'n1'), /task-/);
  const audit = (await after.ask('GET', '/api/audit?limit=1000', { as: 'admin' })).bytes.toString();
  const tasks = (await after.ask('GET', '/api/task?full=true', { as: 'admin' })).bytes.toString();
  const second = await after.kill('SIGTERM');
  const logs = [first, second].flatMap(({ stdout, stderr }) => [stdout, stderr]);
  for (const text of [audit, tasks, ...logs]) t.false(text.includes(secret.slice(0, 16)));
  const kept = await readFile(join(daemon.data, 'audit-head'), 'utf8').catch(() => '');
  t.false(kept.includes(secret));
});

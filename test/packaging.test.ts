import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { startDaemon } from './support/daemon.js';
import { scratch } from './support/scratch.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

test('what npm packs is all that both commands need', async (t) => {
  const directory = await scratch(t);
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], { cwd: root });
  await run('tar', ['-xzf', join(directory, `slipway-${version}.tgz`), '-C', directory]);
  const unpacked = join(directory, 'package');
  // What npm would install beside it.
  await symlink(join(root, 'node_modules'), join(unpacked, 'node_modules'));
  const { bin, dependencies } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));
  t.deepEqual(Object.keys(bin).sort(), ['slipway', 'slipwayd']);
  for (const program of Object.values<string>(bin)) {
    const { stdout } = await run(process.execPath, [join(unpacked, program), '--version']);
    t.is(stdout.trim(), version);
  }
  const { stdout } = await run(process.execPath, [join(unpacked, bin.slipwayd), '--help']);
  t.regex(stdout, /--config/);
  const { ask } = await startDaemon(t, { process: { main: join(unpacked, bin.slipwayd) } });
  const page = await ask('GET', '/console');
  t.is(page.status, 200);
  const named = [...page.bytes.toString().matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);
  t.is(named.length, 3, 'icon, style and script of the console');
  for (const path of named) t.is((await ask('GET', path)).status, 200, path);
  t.false(Object.keys(dependencies).includes('ava'));
  await t.throwsAsync(readFile(join(unpacked, 'dist', 'test', 'packaging.test.js')), { code: 'ENOENT' });
  for (const file of [
    'README.md',
    'LICENSE',
    'etc/slipway.toml',
    'etc/cluster/try.sh',
    'etc/systemd/slipway.service',
    'etc/smf/slipway.xml',
  ]) {
    t.true((await readFile(join(unpacked, file))).length > 0, file);
  }
});

for (const file of ['etc/systemd/slipway.service', 'etc/smf/slipway.xml']) {
  test(`${file} starts the daemon with flags that it knows`, async (t) => {
    const text = await readFile(join(root, file), 'utf8');
    const used = [...text.matchAll(/slipwayd? ([^\n"]*--[^\n"]*)/g)].flatMap(
      ([, args = '']) => args.match(/--[a-z-]+/g) ?? [],
    );
    const { stdout } = await run(process.execPath, [join(root, 'dist', 'server', 'main.js'), '--help']);
    t.true(used.length > 0);
    for (const flag of used) t.true(stdout.includes(flag), flag);
  });
}

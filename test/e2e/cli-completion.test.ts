import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { anImage, cli, sharedDaemon } from '../support/cli.js';
import { isMet } from '../support/needs.js';

const daemon = sharedDaemon(test);

const shipped: Record<string, string> = { bash: 'slipway.bash', zsh: '_slipway', fish: 'slipway.fish' };

for (const [shell, file] of Object.entries(shipped)) {
  test(`etc/completion/${file} is what the program writes; npm run docs brings it up to date`, async (t) => {
    const { run } = await cli(t);
    const { code, stdout } = await run(['completion', shell]);
    t.is(code, 0);
    t.is(readFileSync(new URL(`../../../etc/completion/${file}`, import.meta.url), 'utf8'), stdout);
    const { stdout: help } = await run(['list', '--help']);
    for (const [, option = ''] of help.matchAll(/--([a-z-]+)/g)) t.true(stdout.includes(option), option);
  });
}

test('completion needs a shell that it knows', async (t) => {
  const { run } = await cli(t);
  t.like(await run(['completion']), { code: 1, stderr: 'slipway: for which shell?\nhint: one of bash, zsh, fish\n' });
  t.like(await run(['completion', 'csh']), { code: 1, stdout: '' });
});

test('completion knows servers and images, and says nothing on standard output where it can not', async (t) => {
  const { run } = await cli(t);
  t.like(await run(['completion', '--servers']), { code: 0, stdout: '' });
  await run(['login', 'main', '--url', daemon().url, '--anonymous']);
  await anImage(daemon(), { name: 'zebra' });
  await anImage(daemon(), { name: 'zebra', version: '2' });
  await anImage(daemon(), { name: 'aardvark' });
  t.is((await run(['completion', '--servers'])).stdout, 'main\n');
  const names = (await run(['completion', '--images'])).stdout.split('\n');
  t.deepEqual(
    names.filter((name) => !['', 'quagga'].includes(name)),
    ['aardvark', 'zebra'],
  );
  t.like(await run(['completion', '--images'], { env: { SLIPWAY_URL: 'http://127.0.0.1:1' } }), {
    code: 3,
    stdout: '',
  });
});

const withBash = isMet.bash ? test : test.skip;

withBash('bash completes commands, options, values, servers and images, which needs bash', async (t) => {
  const home = await cli(t);
  await home.run(['login', 'main', '--url', daemon().url, '--anonymous']);
  await anImage(daemon(), { name: 'quagga' });
  const bin = join(home.home, 'bin');
  await mkdir(bin);
  const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
  await writeFile(join(bin, 'slipway'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(join(bin, 'slipway'), 0o755);
  const completed = (...words: string[]) => {
    const script = `source <(slipway completion bash)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'slipway', ...words], {
      env: { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: home.home },
      encoding: 'utf8',
    });
    t.is(stderr, '');
    return stdout.split('\n').filter(Boolean);
  };
  t.deepEqual(completed('pi'), ['ping']);
  t.deepEqual(completed('token', 'rev'), ['revoke']);
  t.deepEqual(completed('list', '--lat'), ['--latest']);
  t.deepEqual(completed('list', '--state', 'un'), ['unactivated']);
  t.deepEqual(completed('list', '--name', 'x'), [], 'anything goes');
  t.deepEqual(completed('list', '--server', ''), ['main']);
  t.deepEqual(completed('show', 'q'), ['quagga']);
  t.deepEqual(completed('show', '--channel', 'x', 'q'), ['quagga']);
  t.deepEqual(completed('completion', 'z'), ['zsh']);
  t.deepEqual(completed('nothing', 'x'), []);
});

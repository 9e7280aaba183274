import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { anImage, type Cli, cli, sharedDaemon } from '../support/cli.js';
import { isMet } from '../support/needs.js';
import { remote } from '../support/remote.js';

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

interface Shell {
  home: Cli;
  completed(...words: string[]): Promise<string[]>;
}

/** Somebody at bash, to whom slipway is a command. */
async function bash(t: ExecutionContext): Promise<Shell> {
  const home = await cli(t);
  const bin = join(home.home, 'bin');
  await mkdir(bin);
  const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
  await writeFile(join(bin, 'slipway'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(join(bin, 'slipway'), 0o755);
  const script = `source <(slipway completion bash)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const completed = async (...words: string[]) => {
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: home.home };
    const shell = promisify(execFile)('bash', ['-c', script, 'bash', 'slipway', ...words], { env, cwd: home.home });
    const { stdout, stderr } = await shell;
    t.is(stderr, '');
    return stdout.split('\n').filter(Boolean);
  };
  return { home, completed };
}

withBash('bash completes commands, options, values, servers and images, which needs bash', async (t) => {
  const { home, completed } = await bash(t);
  await home.run(['login', 'main', '--url', daemon().url, '--anonymous']);
  await anImage(daemon(), { name: 'quagga' });
  t.deepEqual(await completed('pin'), ['ping']);
  t.deepEqual(await completed('token', 'rev'), ['revoke']);
  t.deepEqual(await completed('list', '--lat'), ['--latest']);
  t.deepEqual(await completed('list', '--state', 'un'), ['unactivated']);
  t.deepEqual(await completed('list', '--name', 'x'), [], 'anything goes');
  t.deepEqual(await completed('list', '--server', ''), ['main']);
  t.deepEqual(await completed('show', 'q'), ['quagga']);
  t.deepEqual(await completed('show', '--channel', 'x', 'q'), ['quagga']);
  t.deepEqual(await completed('completion', 'z'), ['zsh']);
  t.deepEqual(await completed('nothing', 'x'), []);
});

withBash('what a server calls its images is text to bash, whatever is written in it', async (t) => {
  const { home, completed } = await bash(t);
  const names = ['$(touch run)', '`touch run`', '*', 'my image', "it's", 'x;touch run', '\x1b[2J'];
  const { url } = await remote(t, {
    'GET /ping': { imgapi: true },
    'GET /images': names.map((name) => ({ name })),
  });
  await home.run(['login', 'main', '--url', url, '--anonymous']);
  t.deepEqual(await completed('show', ''), [
    '\\\\u001b\\[2J',
    '\\$\\(touch\\ run\\)',
    '\\*',
    '\\`touch\\ run\\`',
    "it\\'s",
    'my\\ image',
    'x\\;touch\\ run',
  ]);
  t.deepEqual(await completed('show', 'my'), ['my\\ image']);
  t.deepEqual((await readdir(home.home)).sort(), ['.config', 'bin']);
});

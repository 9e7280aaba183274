import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test from 'ava';
import type { Command, Words } from '../../server/hypervisors/host.js';
import { lineFor, quoted } from '../../server/hypervisors/quote.js';
import { isMet } from '../support/needs.js';

/** As sshd starts it: in a session of its own, whose standard input stays open until the end. */
async function run(shell: string, command: Command, input = '') {
  const bytes = Buffer.from(input);
  const line = lineFor(command, bytes.length > 0 ? { bytes: bytes.length } : undefined);
  const child = spawn(shell, ['-c', line], { detached: true });
  child.stdin.on('error', () => {});
  child.stdin.write(bytes);
  const ended = once(child, 'exit');
  const [printed, said] = [text(child.stdout), text(child.stderr)];
  const [code, signal] = await ended;
  child.stdin.end();
  return { code, signal, printed: await printed, said: await said };
}

const hostile = [
  '$(reboot)',
  '`reboot`',
  'a b',
  '-rf',
  '',
  ' ',
  "it's",
  '"',
  "''",
  '\\',
  '\\\\n',
  "\\'",
  'a\nb',
  '\n',
  '\t\r',
  '*',
  '~root',
  '!!',
  '#no',
  'a=b',
  '$HOME',
  '$'.concat('{IFS}'),
  ';reboot',
  '&& reboot',
  '|',
  '>x',
  '%s%n',
  '日本語 ü é',
  '👾',
  '\x01\x1b[2J\x7f',
  'x'.repeat(200),
  "'; reboot; '",
];

/** As random as it has to be, and the same each time. */
function* words(count: number) {
  const letters = [...'ab \'"\\$`!*?[]{}()<>|&;#~=%^-/\n\t', 'ü', '界', '👾', ..."$('\\"];
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  for (let left = count; left > 0; left -= 1) {
    yield Array.from({ length: next(12) }, () => letters[next(letters.length)]).join('');
  }
}

for (const shell of ['/bin/sh', 'bash']) {
  const known = shell === 'bash' && !isMet.bash ? test.skip : test;

  known(`${shell} hands on every argument as it is`, async (t) => {
    const given = [...hostile, ...words(500)];
    const printf: Words = ['printf', '%s\\0', ...given];
    t.deepEqual(await run(shell, printf), { code: 0, signal: null, printed: `${given.join('\0')}\0`, said: '' });
  });

  known(`${shell} takes the name of a command for nothing else`, async (t) => {
    for (const name of ['$(reboot)', 'a=b', 'if', 'a b', '-x', '!', '{', 'x;y']) {
      const { code, printed } = await run(shell, [name, 'x']);
      t.is(code, 127, name);
      t.is(printed, '');
    }
  });

  known(`${shell} ends with what went wrong in a pipe, wherever it did`, async (t) => {
    const exits = (code: number): Words => ['sh', '-c', `cat >/dev/null; exit ${code}`];
    const ends = async (...pipe: Words[]) => (await run(shell, { pipe })).code;
    t.is(await ends(['true'], ['cat'], ['cat']), 0);
    t.is(await ends(exits(3), ['cat'], ['cat']), 3);
    t.is(await ends(['true'], exits(4), ['cat']), 4);
    t.is(await ends(['true'], ['cat'], exits(5)), 5);
    t.is(await ends(['true'], ['no-such-tool'], ['cat']), 127);
    t.is(await ends(exits(3)), 3);
    t.is(await ends(['sh', '-c', 'kill -9 $$'], ['cat']), 137);
    t.is(await ends(['yes'], ['sh', '-c', 'read x; exit 6']), 6);
    t.is(await ends(['yes'], ['head', '-n', '1']), 141);
    const { printed } = await run(shell, { pipe: [['printf', 'a%s', '\\n'], ['tr', 'a-z', 'A-Z'], ['cat']] });
    t.is(printed, 'A\\N');
  });

  known(`${shell} lets a command read what it is given, and nothing else`, async (t) => {
    const input = `${hostile.join('\n')}\n\n`;
    t.is((await run(shell, ['cat'], input)).printed, input);
    t.is((await run(shell, { pipe: [['cat'], ['cat']] }, input)).printed, input);
    t.is((await run(shell, ['cat'])).printed, '');
    t.is((await run(shell, ['true'], input)).code, 0);
    t.is((await run(shell, ['head', '-c', '1'], 'x'.repeat(100))).printed, 'x');
  });
}

test('what no argument can hold is refused', (t) => {
  t.throws(() => quoted('a\0b'), { message: 'an argument holds a NUL byte' });
  t.throws(() => lineFor(['echo', 'x\0']));
  t.throws(() => lineFor({ pipe: [] }));
  t.throws(() => lineFor(['echo', 'x'.repeat(200_000)]), {
    message: /^echo is given more than \d+ bytes of arguments$/,
  });
});

test('a shell that is none of sh reads the line alike: no quote stands inside of quotes, no backslash either', (t) => {
  const inside = lineFor(['echo', ...hostile]).replaceAll(/\\[\\']/g, '');
  for (const [, between = ''] of inside.matchAll(/'([^']*)'/g)) t.false(between.includes('\\'));
  t.is((inside.match(/'/g) ?? []).length % 2, 0);
});

test('whose input ends before all has come is killed, and has not read an end', async (t) => {
  const line = lineFor({ pipe: [['cat'], ['sh', '-c', 'cat; echo the end']] }, { bytes: 100 });
  const child = spawn('/bin/sh', ['-c', line], { detached: true });
  child.stdin.end('half');
  const printed = text(child.stdout);
  const [, signal] = await once(child, 'exit');
  t.is(signal, 'SIGKILL');
  t.false((await printed).includes('the end'));
});

test('who goes takes along all that a command has started', async (t) => {
  const line = lineFor({ pipe: [['sh', '-c', 'sleep 1000 & echo here; sleep 1000'], ['cat']] });
  const child = spawn('/bin/sh', ['-c', line], { detached: true });
  // When nobody holds its output open any more.
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  child.stdin.end();
  const [, signal] = await closed;
  t.is(signal, 'SIGKILL');
});

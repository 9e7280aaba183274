import test from 'ava';
import { commandLine } from '../support/command-line.js';

const { slipway } = commandLine({});

/** Every command and group below, in the order in which the help names them. */
async function pages(path: string[] = []): Promise<{ path: string; page: string; stderr: string; code: number }[]> {
  const { code, stdout: page, stderr } = await slipway([...path, '--help']);
  const listed = path.length === 0 ? page.slice(page.indexOf('\nImages:\n'), page.indexOf('\nEnvironment:\n')) : page;
  const from = path.length === 0 ? 0 : listed.indexOf('\nCommands:\n');
  const below = from === -1 ? [] : [...listed.slice(from).matchAll(/^ {2}([a-z][a-z-]*)(?: \[| <| {2,}).*/gm)];
  const names = below.map(([, name = '']) => name).filter((name) => name !== 'help');
  const own = { path: path.join(' '), page, stderr, code };
  const others = await Promise.all(names.map((name) => pages([...path, name])));
  return [own, ...others.flat()];
}

test('everything has help, and every command examples that begin with it', async (t) => {
  const all = await pages();
  for (const { path, page, stderr, code } of all) {
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' }, path);
    t.true(page.includes(`Usage: slipway ${path}`.trimEnd()), path);
    if (path !== '' && !page.includes('\nCommands:\n')) t.regex(page, /\nExamples:\n {2}.*slipway /, path);
  }
  const known = all.map(({ path }) => path);
  for (const path of ['list', 'delete', 'token revoke', 'image bulk label', 'node token create', 'api get', 'login']) {
    t.true(known.includes(path), `${path} is not among ${known}`);
  }
});

test('no command has an option that stands for two things', async (t) => {
  for (const { path, page } of await pages()) {
    const options = [...page.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm)].map(([, option]) => option);
    t.deepEqual(options, [...new Set(options)], path);
  }
});

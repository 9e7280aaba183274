import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { commandLineOf } from '../support/command-line.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { remote } from '../support/remote.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const manifest = (number: number) => ({
  uuid: numbered(number),
  name: `image-${number}`,
  owner: numbered(0),
  public: true,
  published_at: `2026-01-0${number}T00:00:00.000Z`,
});

/** A mirror of another server of ours with two images. */
async function world(t: ExecutionContext) {
  const other = await startServer(t, { mode: 'public', authType: 'none' });
  for (const number of [1, 2]) await importImage(other, manifest(number));
  const server = await startServer(t);
  return { other, server, ...commandLineOf(server, server.token) };
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });

test('a repository is added, refreshed, browsed, changed and removed', async (t) => {
  const { other, slipway } = await world(t);
  t.deepEqual(
    await slipway(['repo', 'add', 'mirror', other.url]),
    done('repository mirror is added; "slipway repo refresh mirror" asks for its list\n'),
  );
  t.deepEqual(
    await slipway(['repo', 'list']),
    done(`NAME    IMAGE_COUNT  LAST_UPDATE  ERROR  URL\nmirror  0            -            -      ${other.url}\n`),
  );
  const refreshed = await slipway(['repo', 'refresh', 'mirror', '--json']);
  t.like(JSON.parse(refreshed.stdout)[0], { name: 'mirror', image_count: 2, error: null });
  t.regex((await slipway(['repo', 'refresh', '-H'])).stdout, /^mirror {2}2 /);
  const browsed = await slipway(['repo', 'browse', 'mirror', '--search', 'image-2', '-H']);
  t.regex(browsed.stdout, new RegExp(`^${numbered(2)}  image-2  1.0.0 .* no\n$`));
  t.regex(
    (await slipway(['repo', 'browse', 'mirror', '--csv'])).stdout,
    /^uuid,name,.*\n.*image-2,.*\n.*image-1,.*\n$/,
  );
  t.like(JSON.parse((await slipway(['repo', 'image', 'mirror', numbered(1), '-j'])).stdout), { name: 'image-1' });
  t.is((await slipway(['repo', 'set', 'mirror', '--every', '30', '--authoritative', '--channel', 'dev'])).code, 0);
  const setup = JSON.parse((await slipway(['repo', 'setup', 'mirror', '-j'])).stdout);
  t.like(setup, { every: 30, authoritative: true, channel: 'dev', url: other.url });
  t.is((await slipway(['repo', 'set', 'mirror', '--no-authoritative', '--channel', ''])).code, 0);
  t.like(JSON.parse((await slipway(['repo', 'setup', 'mirror', '-j'])).stdout), {
    authoritative: false,
    channel: null,
  });
  t.regex((await slipway(['repo', 'list-all'])).stdout, /\ndanubecloud +no .*\n.*\nmirror +yes /);
  t.is((await slipway(['repo', 'delete', 'mirror'])).code, 1);
  t.deepEqual(await slipway(['repo', 'delete', 'mirror', '--yes']), done('repository mirror is removed\n'));
  const gone = await slipway(['repo', 'show', 'mirror']);
  t.is(gone.code, 1);
  t.regex(gone.stderr, /there is no repository "mirror"/);
});

test('what is wrong is told, of each repository', async (t) => {
  const { server, slipway } = await world(t);
  const liar = await remote(t, { 'GET /images': (_, response) => void response.end('<html>') });
  t.is((await slipway(['repo', 'add', 'liar', liar.url])).code, 0);
  const one = await slipway(['repo', 'refresh', 'liar']);
  t.is(one.code, 1);
  t.regex(one.stderr, /repository "liar": 127.0.0.1:\d+ sent no JSON/);
  const all = await slipway(['repo', 'refresh']);
  t.is(all.code, 1);
  t.regex(all.stderr, /not refreshed: liar[\s\S]*sent no JSON/);
  const path = join(await scratch(t), 'ca.pem');
  await writeFile(path, 'no certificate');
  t.regex((await slipway(['repo', 'set', 'liar', '--repo-ca', path])).stderr, /ca holds no certificate/);
  t.regex((await slipway(['repo', 'add', 'x', 'ftp://x'])).stderr, /url is not an http or https URL/);
  const { headers } = await addUser(server, 'bob');
  const bob = commandLineOf(server, headers.authorization.slice('Bearer '.length));
  t.regex((await bob.slipway(['repo', 'list'])).stderr, /image_import_admin/);
});

test('a follow is added, planned, run, changed and deleted', async (t) => {
  const { other, server, slipway } = await world(t);
  await slipway(['repo', 'add', 'mirror', other.url]);
  await slipway(['repo', 'refresh']);
  t.is((await slipway(['follow', 'add', 'two', 'mirror', '--match', '*-2', '--access', 'public'])).code, 0);
  const planned = await slipway(['follow', 'run', 'two', '--dry-run', '-H']);
  t.deepEqual(planned, done(`import  ${numbered(2)}  image-2  1.0.0  it matches, and is not here\n`));
  t.is(await server.stored(numbered(2)), undefined);
  t.regex((await slipway(['follow', 'run', 'two', '-H'])).stdout, new RegExp(`^import  ${numbered(2)} .* SUCCESS `));
  t.deepEqual(JSON.parse((await slipway(['follow', 'run', 'two', '-j'])).stdout), {
    matched: 1,
    stopped: null,
    images: [],
  });
  t.regex((await slipway(['follow', 'run', 'two', '--no-wait'])).stdout, /^[0-9a-f-]{36}\n$/);
  t.is((await slipway(['follow', 'set', 'two', '--match', '', '--newest', '1', '--retire'])).code, 0);
  t.like(JSON.parse((await slipway(['follow', 'show', 'two', '-j'])).stdout), { match: null, newest: 1, retire: true });
  t.regex((await slipway(['follow', 'list', '-H'])).stdout, /^two +mirror /);
  t.deepEqual(await slipway(['follow', 'delete', 'two', '--yes']), done('follow two is deleted\n'));
  t.is((await slipway(['follow', 'run', 'two'])).code, 1);
});

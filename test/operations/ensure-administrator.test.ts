import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { trusted } from '../../server/model/caller.js';
import { OperatorMistake } from '../../server/model/operator-mistake.js';
import { hashToken, LASTING, type Token, tokens } from '../../server/model/token.js';
import { ADMIN, users } from '../../server/model/user.js';
import { ensureAdministrator } from '../../server/operations/ensure-administrator.js';
import { revokeToken } from '../../server/operations/revoke-token.js';
import { openCatalog } from '../../storage/open.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const now = new Date('2026-06-15T12:00:00.000Z');

/** A data directory, and what a start finds and leaves in it. */
async function installation(t: ExecutionContext) {
  const directory = await scratch(t);
  const catalog = await openCatalog({ kind: 'memory' });
  t.teardown(() => catalog.close());
  const file = join(directory, 'admin-token');
  return {
    catalog,
    file,
    directory,
    start: () => ensureAdministrator(catalog, directory, now),
    secret: async () => (await readFile(file, 'utf8')).trim(),
    write: (secret: string, mode = 0o600) => writeFile(file, `${secret}\n`, { mode }),
    kept: async () => {
      const all: Token[] = [];
      for await (const token of catalog.list(tokens)) all.push(token);
      return all;
    },
  };
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('the first start makes an administrator and a token that only its owner reads', async (t) => {
  const { catalog, file, directory, start, secret, kept } = await installation(t);
  t.deepEqual(await start(), { tokenFile: file, warning: undefined });
  t.is(await modeOf(file), 0o600);
  t.deepEqual(await readdir(directory), ['admin-token']);
  t.like(await catalog.get(users, ADMIN.uuid), { name: 'admin', superAdmin: true });
  t.deepEqual(await kept(), [
    { hash: hashToken(await secret()), name: 'first', user: ADMIN.uuid, created: now.toISOString() },
  ]);
});

test('a later start changes nothing', async (t) => {
  const { start, secret, kept } = await installation(t);
  await start();
  const before = [await secret(), await kept()];
  await start();
  t.deepEqual([await secret(), await kept()], before);
});

test('a token that stands in the file is taken, and the one before is good no longer', async (t) => {
  const { start, write, kept } = await installation(t);
  await start();
  await write('chosen-by-an-operator');
  await start();
  t.deepEqual(
    (await kept()).map(({ hash }) => hash),
    [hashToken('chosen-by-an-operator')],
  );
});

test('a file that was removed is written with another token', async (t) => {
  const { file, start, secret, kept } = await installation(t);
  await start();
  const before = await secret();
  await rm(file);
  await start();
  t.not(await secret(), before);
  t.deepEqual(
    (await kept()).map(({ hash }) => hash),
    [hashToken(await secret())],
  );
});

test('a revoked token does not come back with the next start, which makes another', async (t) => {
  const installed = await installation(t);
  const { catalog, start, secret, kept } = installed;
  const { deps } = await startServer(t);
  await start();
  const before = await secret();
  await revokeToken({ ...deps, catalog }, trusted, LASTING, { name: 'first', user: 'admin' });
  t.is((await kept())[0]?.revoked !== undefined, true);
  const { warning } = await start();
  t.is(warning, undefined);
  t.not(await secret(), before);
  t.deepEqual(
    (await kept()).map(({ hash, revoked }) => [hash, revoked]),
    [[hashToken(await secret()), undefined]],
  );
});

test('a start that was cut off between the file and the catalog is made good', async (t) => {
  const { catalog, start, write, kept } = await installation(t);
  await start();
  await catalog.write(async (tx) => {
    for await (const token of tx.list(tokens)) await tx.replace(tokens, { ...token, revoked: now.toISOString() });
  });
  await write('written-before-the-crash');
  await start();
  t.deepEqual(
    (await kept()).map(({ hash, revoked }) => [hash, revoked]),
    [[hashToken('written-before-the-crash'), undefined]],
  );
});

test('the secret of another token is refused, whatever that one is good for', async (t) => {
  const { catalog, file, start, write, kept } = await installation(t);
  await start();
  const other: Token = {
    hash: hashToken('secret-of-another'),
    name: 'ci',
    user: ADMIN.uuid,
    created: '',
    scope: 'read',
  };
  await catalog.write((tx) => tx.insert(tokens, other));
  const before = await kept();
  await write('secret-of-another');
  const mistake = await t.throwsAsync(start, { instanceOf: OperatorMistake });
  t.is(mistake.message, `${file} holds the secret of token "ci": write another, or remove it`);
  t.deepEqual(await kept(), before);
});

test('what can not be read as a file is named', async (t) => {
  const { file, start, kept } = await installation(t);
  await mkdir(file);
  const mistake = await t.throwsAsync(start, { instanceOf: OperatorMistake });
  t.true(mistake?.message.includes(file));
  t.deepEqual(await kept(), []);
});

test('a file without a usable token is refused and left alone', async (t) => {
  const { file, start, kept } = await installation(t);
  for (const text of ['', 'short', 'two words that are long enough', 'x'.repeat(513), 'ünïcödé-and-long-enough']) {
    await writeFile(file, text);
    await t.throwsAsync(start, { instanceOf: OperatorMistake }, text);
    t.is(await readFile(file, 'utf8'), text);
  }
  t.deepEqual(await kept(), []);
});

for (const mode of [0o640, 0o604, 0o644, 0o620, 0o666]) {
  test(`a file of mode ${mode.toString(8)} is made private, and whoever starts the daemon is told`, async (t) => {
    const { file, start, write } = await installation(t);
    await write('chosen-by-an-operator');
    await chmod(file, mode);
    const { warning = '' } = await start();
    t.true(warning.startsWith(`${file} can be read or written by others (mode ${mode.toString(8)})`), warning);
    t.is(await modeOf(file), 0o600);
    t.is((await start()).warning, undefined);
  });
}

test('what an earlier start left half written is not written into', async (t) => {
  const { directory, file, start } = await installation(t);
  await writeFile(`${file}.new`, 'slipway_ha', { mode: 0o666 });
  await chmod(`${file}.new`, 0o666);
  t.is((await start()).warning, undefined);
  t.is(await modeOf(file), 0o600);
  t.deepEqual(await readdir(directory), ['admin-token']);
});

import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { datacenters } from '../../server/model/datacenter.js';
import { streamsOf } from '../../server/model/pull-line.js';
import { hashToken, type Token, tokens } from '../../server/model/token.js';
import { ensureSharedAdministrator } from '../../server/operations/ensure-administrator.js';
import { ensureIdentity } from '../../server/operations/ensure-identity.js';
import { ensureMain } from '../../server/operations/ensure-main.js';
import { forgetStreams } from '../../server/operations/forget-streams.js';
import { whileFirst } from '../../server/while-first.js';
import { openCatalog } from '../../storage/open.js';
import { partials } from '../../storage/partials.js';
import { sharing } from '../support/members.js';
import { scratch } from '../support/scratch.js';

const now = new Date('2030-01-01T00:00:00.000Z');

async function daemons(t: ExecutionContext, ...names: string[]) {
  const catalog = await openCatalog({ kind: 'memory' });
  t.teardown(() => catalog.close());
  return sharing(catalog, names);
}

test('daemons that start at once make one identity and one main data center', async (t) => {
  const all = (await daemons(t, 'a', 'b', 'c')).map(({ catalog }) => catalog);
  t.is(new Set(await Promise.all(all.map((catalog) => ensureIdentity(catalog)))).size, 1);
  await Promise.all(all.map((catalog) => ensureMain(catalog, now)));
  const found: string[] = [];
  for await (const { name } of all[0]!.list(datacenters)) found.push(name);
  t.deepEqual(found, ['main']);
});

test('the token of the administrator is with one daemon, and stays good whoever starts', async (t) => {
  const [a, b] = (await daemons(t, 'a', 'b')).map(({ catalog }) => catalog);
  const places = [await scratch(t), await scratch(t)] as const;
  const starts = () =>
    Promise.all([ensureSharedAdministrator(a!, places[0], now), ensureSharedAdministrator(b!, places[1], now)]);
  const made = await starts();
  t.is(made.filter((found) => found !== undefined).length, 1);
  const { tokenFile = '' } = made.find((found) => found !== undefined) ?? {};
  const secret = (await readFile(tokenFile, 'utf8')).trim();
  await starts();
  const kept: Token[] = [];
  for await (const token of a!.list(tokens)) kept.push(token);
  t.deepEqual(
    kept.map(({ hash }) => hash),
    [hashToken(secret)],
  );

  // lost: any daemon takes another one from a file
  await rm(tokenFile);
  t.deepEqual(await starts(), [undefined, undefined]);
  await writeFile(join(places[1], 'admin-token'), 'a-secret-of-our-own-choice\n', { mode: 0o600 });
  await starts();
  t.truthy(await a!.get(tokens, hashToken('a-secret-of-our-own-choice')));
  t.is(await a!.get(tokens, hashToken(secret)), undefined);
  await t.throwsAsync(stat(tokenFile), { code: 'ENOENT' });
});

test('a start forgets the streams of its daemon and of those that are gone, not of others who are at work', async (t) => {
  const [a, b, c] = await daemons(t, 'a', 'b', 'c');
  const holders = ['a', 'b', 'c', 'before'].map((name) => `${streamsOf(name)}1`);
  await a!.catalog.write(async (tx) => {
    for (const [n, holder] of [...holders, 'task/1'].entries()) {
      await tx.insert(partials, { holder, key: `${n}`.repeat(32) });
    }
  });
  c!.die();
  await forgetStreams(b!.catalog);
  const left: string[] = [];
  for await (const { holder } of a!.catalog.list(partials)) left.push(holder);
  t.deepEqual(left.sort(), [holders[0]!, 'task/1'].sort());
});

test('what is done once is done by the first, and by the next when that is gone', async (t) => {
  const [a, b] = await daemons(t, 'a', 'b');
  const done: string[] = [];
  const all = async () => {
    for (const [name, { catalog }] of [
      ['a', a!],
      ['b', b!],
    ] as const) {
      await whileFirst(catalog, 'sweep', async () => done.push(name));
    }
  };
  await all();
  a!.die();
  await all();
  a!.comeBack();
  await all();
  t.deepEqual(done, ['a', 'b', 'b']);
});

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { BEGINNING, type Head, isSignedBy, type Signed } from '../../imgapi/audit-chain.js';
import { headFile, missingSince } from '../../server/audit/head-file.js';
import { openAuditKey } from '../../server/audit/key.js';
import { auditEntries, type Content } from '../../server/model/audit.js';
import { appendEntries } from '../../server/operations/append-entries.js';
import { openCatalog } from '../../storage/open.js';
import { startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';

const content = (n: number): Content => ({
  ...{ id: `id-${n}`, time: '2030-01-01T00:00:00.000Z', who: { name: 'slipway', kind: 'system' }, what: 'test' },
  ...{ objects: [], datacenters: [], result: 'done' },
});

test('a key is made once, for its owner only, and is the same from then on', async (t) => {
  const path = join(await scratch(t), 'audit-key');
  const key = await openAuditKey(path);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is((await openAuditKey(path)).public, key.public);
  t.true(isSignedBy(key.public, (await openAuditKey(path)).sign({ a: 1 })));
  await writeFile(path, 'no key');
  await t.throwsAsync(openAuditKey(path), { message: /holds no ed25519 key/ });
});

test('a tail that was cut, or written anew, is missed', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'audit-head');
  const key = await openAuditKey(join(directory, 'audit-key'));
  const catalog = await openCatalog({ kind: 'memory' });
  t.deepEqual(await missingSince(path, catalog), [], 'there is no file at first');
  await catalog.write((tx) => appendEntries(tx, 'changes', [1, 2, 3].map(content)));
  const last = (await catalog.get(auditEntries, 'changes/000000000003'))!;
  await headFile(path).write([key.sign({ chain: 'changes', seq: 3, hash: last.hash })]);
  t.deepEqual(await missingSince(path, catalog), []);
  await catalog.write((tx) => tx.replace(auditEntries, { ...last, hash: BEGINNING }));
  t.deepEqual(await missingSince(path, catalog), ['changes at 3']);
  await catalog.write((tx) => tx.delete(auditEntries, 'changes/000000000003'));
  t.deepEqual(await missingSince(path, catalog), ['changes at 3']);
  await writeFile(path, '[');
  await t.throwsAsync(missingSince(path, catalog), { message: /is not JSON/ });
});

test('the daemon keeps its signed heads beside the catalog, and says at its start when entries are gone', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.ask('POST', '/api/token', { body: { name: 'ci' } });
  const { json } = await daemon.ask('GET', '/api/audit/head', { as: 'admin' });
  await daemon.kill('SIGTERM');
  const { data } = daemon;
  const key = await openAuditKey(join(data, 'audit-key'));
  t.is((json.result as { key: string }).key, key.public);
  const heads = JSON.parse(await readFile(join(data, 'audit-head'), 'utf8')) as Signed<Head>[];
  t.true(heads.some(({ chain }) => chain === 'changes'));
  for (const head of heads) t.true(isSignedBy(key.public, head));

  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  const { seq } = heads.find(({ chain }) => chain === 'changes')!;
  await catalog.write((tx) => tx.delete(auditEntries, `changes/${String(seq).padStart(12, '0')}`));
  await catalog.close();
  const again = await startDaemon(t, { data });
  const warning = await again.logged((line) => line.msg.includes('the audit has been cut or changed'));
  t.true(warning.msg.includes(`changes at ${seq}`));
});

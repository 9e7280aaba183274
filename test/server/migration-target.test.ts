import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { pino } from 'pino';
import { checkTarget, openTargetRecords, type Target } from '../../server/migration-target.js';
import { identities, SERVER } from '../../server/model/identity.js';
import { openCatalog } from '../../storage/open.js';
import { scratch } from '../support/scratch.js';

const target = (settings: object) => ({ settings: { lease: 5, ...settings }, secretsKey: {} }) as unknown as Target;

test('records that are not all there are not where a daemon would look for them', async (t) => {
  const data = await scratch(t);
  const uuid = '00000000-0000-4000-8000-000000000000';
  const arriving = { identity: uuid, log: pino({ enabled: false }), version: '1' };
  for (const isWhole of [false, true]) {
    const there = await openTargetRecords(target({ data }), arriving);
    t.is(await there.catalog.get(identities, SERVER), undefined);
    await there.catalog.write((tx) => tx.insert(identities, { id: SERVER, uuid }));
    await there.catalog.close();
    t.false((await readdir(data)).includes('catalog'));
    if (isWhole) await there.arrive();
  }
  t.deepEqual(await readdir(data), ['catalog']);
  const arrived = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  t.like(await arrived.get(identities, SERVER), { uuid });
  await arrived.close();
  await t.throwsAsync(openTargetRecords(target({ data }), arriving), { message: /a server is there already/ });
});

test('a bucket is another at another endpoint', (t) => {
  const at = (database: string, storeEndpoint: string) =>
    target({ data: '/data', database, store: 's3://images', storeEndpoint, mode: 'dc' });
  const from = at('one', 'http://one').settings;
  t.throws(() => checkTarget(from, undefined, at('two', 'http://one')), { message: /files are where/ });
  t.notThrows(() => checkTarget(from, undefined, at('two', 'http://two')));
});

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openBlobs, openCatalog } from '../../storage/open.js';
import { scratch } from '../support/scratch.js';

test('a kind in the configuration names its driver', async (t) => {
  const directory = await scratch(t);
  await (await openCatalog({ kind: 'leveldb', directory: join(directory, 'catalog') })).close();
  await (await openBlobs({ kind: 'filesystem', directory: join(directory, 'files') })).close();
  t.deepEqual((await readdir(directory)).sort(), ['catalog', 'files']);
  await (await openCatalog({ kind: 'memory' })).close();
  await (await openBlobs({ kind: 'memory' })).close();
  t.deepEqual((await readdir(directory)).length, 2);
});

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { pino } from 'pino';
import { closeWith } from '../../server/operations/passphrase.js';
import { finishRestore, restoreFirst } from '../../server/restore.js';
import { Backup } from '../../storage/backup.js';
import { openBlobs, openCatalog } from '../../storage/open.js';
import { scratch } from '../support/scratch.js';

const log = pino({ level: 'silent' });

async function backupIn(dir: string, files: [string, string | Buffer][]): Promise<string> {
  const [catalog, blobs] = [await openCatalog({ kind: 'memory' }), await openBlobs({ kind: 'memory' })];
  await catalog.write((tx) => tx.insert({ name: 'notes', id: () => '1' }, { text: 'one' }));
  const kept = new Map(files.map(([name, content]) => [name, Buffer.from(content)]));
  const backup = await Backup.open({ catalog, blobs }, { created: new Date(), server: '1', files: async () => kept });
  const chunks: Buffer[] = [];
  for await (const chunk of backup.read()) chunks.push(Buffer.from(chunk));
  await backup.close();
  await catalog.close();
  const path = join(dir, `backup-${files.length}.tar`);
  await writeFile(path, Buffer.concat(chunks));
  return path;
}

test('a restore that was stopped while all was moved to its place is gone on with', async (t) => {
  const data = join(await scratch(t), 'data');
  await mkdir(join(data, 'catalog'), { recursive: true });
  await mkdir(join(data, 'restored', 'files'), { recursive: true });
  await writeFile(join(data, 'restored', 'audit-key'), 'key');
  await finishRestore(data, undefined);
  t.deepEqual(await readdir(data), ['audit-key', 'catalog', 'files']);
  await finishRestore(data, undefined);
  t.deepEqual(await readdir(data), ['audit-key', 'catalog', 'files']);
});

test('names that lead elsewhere, or have no place in a server, are refused', async (t) => {
  const dir = await scratch(t);
  for (const name of [
    '../up',
    'catalog/CURRENT',
    'authkeys/../x.keys',
    'admin-token',
    'authkeys/a.txt',
    'slipway-1-a-1.lock',
  ]) {
    const data = join(dir, 'data');
    await mkdir(data, { recursive: true });
    const from = await backupIn(dir, [[name, 'x']]);
    await t.throwsAsync(restoreFirst({ from }, data, log), { message: /nothing was restored/ }, name);
    t.deepEqual(await readdir(data), []);
  }
});

test('a backup that is not there is told, and leaves nothing', async (t) => {
  const data = join(await scratch(t), 'data');
  await mkdir(data);
  const from = join(data, 'absent.tar');
  await t.throwsAsync(restoreFirst({ from }, data, log), { message: /absent\.tar: ENOENT.*nothing was restored/ });
  t.deepEqual(await readdir(data), []);
});

test('what is secret comes with the passphrase, is left out without one, and a wrong one restores nothing', async (t) => {
  const dir = await scratch(t);
  const secrets = { 'admin-token': Buffer.from('hush').toString('base64') };
  const sealed = await closeWith('the right one', Buffer.from(JSON.stringify(secrets)));
  const from = await backupIn(dir, [
    ['sealed', sealed],
    ['audit-key', 'key'],
  ]);
  const [right, wrong] = [join(dir, 'right'), join(dir, 'wrong')];
  await writeFile(right, 'the right one\n');
  await writeFile(wrong, 'the wrong one\n');
  const there = async (name: string, passphraseFile?: string) => {
    const data = join(dir, name);
    await mkdir(data);
    await restoreFirst({ from, passphraseFile }, data, log);
    return readdir(data);
  };
  t.deepEqual(await there('a', right), ['admin-token', 'audit-key', 'catalog', 'files']);
  t.deepEqual(await there('b'), ['audit-key', 'catalog', 'files']);
  await t.throwsAsync(there('c', wrong), { message: /the passphrase is not the one/ });
  t.deepEqual(await readdir(join(dir, 'c')), []);
  await t.throwsAsync(there('d', join(dir, 'none')), { message: /--restore-passphrase/ });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { InUse } from '../../storage/errors.js';
import { lockDirectory } from '../../storage/lock.js';
import { scratch } from '../support/scratch.js';

const hasProc = existsSync('/proc/self/stat');

test('lock: one holder per directory, under whatever name', async (t) => {
  const directory = join(await scratch(t), 'data');
  const lock = await lockDirectory(directory);
  await symlink(directory, `${directory}-too`);
  for (const name of [directory, `${directory}/`, `${directory}-too`]) {
    await t.throwsAsync(lockDirectory(name), {
      instanceOf: InUse,
      message: `data directory ${directory} is in use by process ${process.pid}: stop it first or choose another directory with --data`,
    });
  }
  await lock.release();
  t.deepEqual(await readdir(directory), []);
  await (await lockDirectory(directory)).release();
});

test('lock: two directories are held side by side', async (t) => {
  const locks = await Promise.all([lockDirectory(await scratch(t)), lockDirectory(await scratch(t))]);
  await Promise.all(locks.map((lock) => lock.release()));
  t.pass();
});

test('lock: a living process keeps it, a killed one loses it', async (t) => {
  const directory = await scratch(t);
  const holder = await holdElsewhere(directory);
  t.teardown(() => holder.kill('SIGKILL'));
  const message = new RegExp(`in use by process ${holder.pid}:`);
  await t.throwsAsync(lockDirectory(directory), { instanceOf: InUse, message });
  await t.throwsAsync(lockDirectory(directory), { instanceOf: InUse, message }, 'being refused changes nothing');
  t.is((await readdir(directory)).length, 1);

  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = await lockDirectory(directory);
  t.is((await readdir(directory)).length, 1);
  await lock.release();
});

const needsProc = hasProc ? test : test.skip;
needsProc('lock: a pid that was given to another process does not hold it (needs /proc)', async (t) => {
  const directory = await scratch(t);
  const [, , boot, started] = (await nameOfLock(t)).split(/[-.]/);
  const stale = [
    `slipway-${process.pid}-${boot}-${Number(started) - 1}.lock`,
    `slipway-${process.ppid}-${boot}-1.lock`,
    `slipway-${process.ppid}-${'0'.repeat(32)}-${await startOf(process.ppid)}.lock`,
    `slipway-999999999-${boot}-${started}.lock`,
  ];
  for (const name of stale) {
    await writeFile(join(directory, name), '');
    const lock = await lockDirectory(directory);
    t.false((await readdir(directory)).includes(name), name);
    await lock.release();
  }
});

needsProc('lock: the process that is meant holds it (needs /proc)', async (t) => {
  const directory = await scratch(t);
  const [, , boot] = (await nameOfLock(t)).split(/[-.]/);
  const name = `slipway-${process.ppid}-${boot}-${await startOf(process.ppid)}.lock`;
  await writeFile(join(directory, name), '');
  await t.throwsAsync(lockDirectory(directory), { instanceOf: InUse });
  t.deepEqual(await readdir(directory), [name]);
});

test('lock: other files are left alone', async (t) => {
  const directory = await scratch(t);
  await writeFile(join(directory, 'slipway-notes.lock'), '');
  const lock = await lockDirectory(directory);
  await lock.release();
  t.deepEqual(await readdir(directory), ['slipway-notes.lock']);
});

const lockModule = new URL('../../storage/lock.js', import.meta.url).href;

async function holdElsewhere(directory: string) {
  const script = `import { lockDirectory } from ${JSON.stringify(lockModule)};
    await lockDirectory(process.argv[1]); console.log('held'); setInterval(() => {}, 1 << 30);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

async function nameOfLock(t: Parameters<typeof scratch>[0]): Promise<string> {
  const directory = await scratch(t);
  const lock = await lockDirectory(directory);
  const [name] = await readdir(directory);
  await lock.release();
  return name!;
}

/** As the lock of another process spells it. */
async function startOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8');
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19]!;
}

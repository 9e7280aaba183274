import { writeFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FileWatch, watchFiles } from '../../server/watch-files.js';
import { gate } from '../support/gate.js';
import { scratch } from '../support/scratch.js';

interface Watched {
  directory: string;
  /** How often it called back at this poll. */
  poll(): Promise<number>;
  /** And at as many as it takes to find a change, to see it rest, and to forget it. */
  settled(): Promise<number>;
}

async function watched(
  t: ExecutionContext,
  names: string[],
  prepare: (directory: string) => Promise<unknown>,
): Promise<Watched> {
  const directory = await scratch(t);
  await prepare(directory);
  let calls = 0;
  const watch = new FileWatch(
    names.map((name) => join(directory, name)),
    () => {
      calls += 1;
    },
  );
  const poll = async () => {
    calls = 0;
    await watch.poll();
    return calls;
  };
  t.is(await poll(), 0, 'the first poll only looks');
  t.is(await poll(), 0);
  const settled = async () => (await poll()) + (await poll()) + (await poll());
  return { directory, poll, settled };
}

interface Change {
  prepare?: (directory: string) => Promise<unknown>;
  change: (directory: string) => Promise<unknown>;
}

const changes: Record<string, Change> = {
  'a file that is written': { change: (d) => writeFile(join(d, 'watched'), 'another text') },
  'a file of the same size': { change: (d) => writeFile(join(d, 'watched'), 'TEXT') },
  'a file of the same size and time': {
    change: async (d) => {
      const { atime, mtime } = await stat(join(d, 'watched'));
      await writeFile(join(d, 'watched'), 'TEXT');
      await utimes(join(d, 'watched'), atime, mtime);
    },
  },
  'a file that is replaced': {
    change: async (d) => {
      await writeFile(join(d, 'new'), 'text');
      await rename(join(d, 'new'), join(d, 'watched'));
    },
  },
  'a file that is removed': { change: (d) => rm(join(d, 'watched')) },
  'a file that appears': { prepare: async () => {}, change: (d) => writeFile(join(d, 'watched'), '') },
  'a file whose mode changes': { change: (d) => chmod(join(d, 'watched'), 0o600) },
  'a symlink that is swapped': {
    prepare: async (d) => {
      await writeFile(join(d, 'one'), 'text');
      await writeFile(join(d, 'other'), 'text');
      await symlink('one', join(d, 'watched'));
    },
    change: async (d) => {
      await symlink('other', join(d, 'new'));
      await rename(join(d, 'new'), join(d, 'watched'));
    },
  },
  'a directory of symlinks whose target is swapped': {
    prepare: async (d) => {
      for (const name of ['one', 'other']) {
        await mkdir(join(d, name));
        await writeFile(join(d, name, 'file'), 'text');
      }
      await symlink('one', join(d, '..data'));
      await symlink('..data/file', join(d, 'watched'));
    },
    change: async (d) => {
      await symlink('other', join(d, 'new'));
      await rename(join(d, 'new'), join(d, '..data'));
    },
  },
  'a file in a directory': {
    prepare: async (d) => {
      await mkdir(join(d, 'watched'));
      await writeFile(join(d, 'watched', 'file'), 'text');
    },
    change: (d) => writeFile(join(d, 'watched', 'file'), 'TEXT'),
  },
  'a file that appears in a directory': {
    prepare: (d) => mkdir(join(d, 'watched')),
    change: (d) => writeFile(join(d, 'watched', 'file'), 'text'),
  },
  'a file in a directory of a directory': {
    prepare: async (d) => {
      await mkdir(join(d, 'watched', 'user'), { recursive: true });
      await writeFile(join(d, 'watched', 'user', 'id.pub'), 'text');
    },
    change: (d) => writeFile(join(d, 'watched', 'user', 'id.pub'), 'TEXT'),
  },
  'a symlink that leads nowhere any more': {
    prepare: async (d) => {
      await writeFile(join(d, 'one'), 'text');
      await symlink('one', join(d, 'watched'));
    },
    change: (d) => rm(join(d, 'one')),
  },
  'a symlink that leads to itself': {
    change: async (d) => {
      await rm(join(d, 'watched'));
      await symlink('watched', join(d, 'watched'));
    },
  },
};

for (const [what, { prepare, change }] of Object.entries(changes)) {
  test(`told once: ${what}`, async (t) => {
    const write = (directory: string) => writeFile(join(directory, 'watched'), 'text');
    const { directory, settled } = await watched(t, ['watched'], prepare ?? write);
    await change(directory);
    t.is(await settled(), 1);
    t.is(await settled(), 0);
  });
}

test('what still changes is not told until it rests', async (t) => {
  const { directory, poll } = await watched(t, ['a', 'b'], (d) => writeFile(join(d, 'a'), ''));
  for (const text of ['-----BEGIN', '-----BEGIN CERT', '-----BEGIN CERTIFICATE']) {
    await writeFile(join(directory, 'a'), text);
    t.is(await poll(), 0);
  }
  await writeFile(join(directory, 'b'), 'the key comes after it');
  t.is(await poll(), 0);
  t.is(await poll(), 1);
  t.is(await poll(), 0);
});

test('others beside it, and its being read, are no change', async (t) => {
  const { directory, settled } = await watched(t, ['watched'], (d) => writeFile(join(d, 'watched'), 'text'));
  await writeFile(join(directory, 'other'), 'text');
  await utimes(directory, 1, 1);
  t.is(await settled(), 0);
});

test('polls by itself, until it is told to stop', async (t) => {
  const path = join(await scratch(t), 'watched');
  // whichever change the first poll still misses, another follows
  let text = '';
  const writing = setInterval(() => {
    text += 'x';
    writeFileSync(path, text);
  }, 100);
  t.teardown(() => clearInterval(writing));

  const told = gate();
  let calls = 0;
  const stop = watchFiles(
    [path],
    () => {
      calls += 1;
      told.open();
    },
    1,
  );
  await told.opened;
  stop();
  calls = 0;
  const another = gate();
  t.teardown(watchFiles([path], another.open, 1));
  await another.opened;
  t.is(calls, 0);
});

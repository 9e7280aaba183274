import { appendFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { PartialFile } from '../../cli/partial-file.js';
import { scratch } from '../support/scratch.js';

test('a file gets its name when it is whole', async (t) => {
  const directory = await scratch(t);
  const target = join(directory, 'base.gz');
  const partial = await PartialFile.open(target);
  await partial.write(Buffer.from('all of it'));
  t.deepEqual(await readdir(directory), ['base.gz.partial']);
  await partial.finish();
  t.deepEqual(await readdir(directory), ['base.gz']);
  t.is(await readFile(target, 'utf8'), 'all of it');
});

for (const [what, meddle] of [
  ['written to', (path: string) => appendFile(path, 'of another image')],
  [
    'replaced',
    async (path: string) => {
      await writeFile(`${path}.other`, 'all of it');
      await rename(`${path}.other`, path);
    },
  ],
] as const) {
  test(`a file that another program has ${what} meanwhile gets no name`, async (t) => {
    const target = join(await scratch(t), 'base.gz');
    const partial = await PartialFile.open(target);
    await partial.write(Buffer.from('all of it'));
    await meddle(partial.path);
    await t.throwsAsync(partial.finish(), { message: /base\.gz\.partial was changed by another program meanwhile/ });
    await partial.leave();
    await t.throwsAsync(readFile(target), { code: 'ENOENT' });
  });
}

import { spawnSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { pack } from 'tar-stream';
import { BadTar, readTar, type TarFile, tarSize, writeTar } from '../../storage/tar.js';
import { scratch } from '../support/scratch.js';

const file = (name: string, bytes: Buffer | string): TarFile => ({
  name,
  size: Buffer.byteLength(bytes),
  bytes: () => [Buffer.from(bytes)],
});

const tarOf = async (...files: TarFile[]) => buffer(Readable.from(copied(writeTar(files)), { objectMode: false }));

async function* copied(chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

async function* pieces(bytes: Buffer, size = 1000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function namesIn(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, body } of readTar(source)) {
    names.push(name);
    for await (const _ of body);
  }
  return names;
}

/** Members as nobody of ours would write them. */
async function made(...headers: (Parameters<ReturnType<typeof pack>['entry']>[0] & { content?: string })[]) {
  const tar = pack();
  for (const { content, ...header } of headers) {
    if (content === undefined) tar.entry(header);
    else tar.entry(header, content);
  }
  tar.finalize();
  return buffer(tar as unknown as Readable);
}

test('what is written is read, and has the size that was foretold', async (t) => {
  const contents = [0, 1, 511, 512, 513, 100_000].map((size) => Buffer.alloc(size, `${size} `));
  const bytes = await tarOf(...contents.map((content, n) => file(`a/${n}`, content)));
  t.is(bytes.length, tarSize(contents.map(({ length }) => length)));
  const found: Buffer[] = [];
  for await (const { body, size } of readTar(pieces(bytes))) {
    found.push(await buffer(body));
    t.is(found.at(-1)!.length, size);
  }
  t.deepEqual(found, contents);
});

test('GNU tar reads what we write, and we read what it writes', async (t) => {
  const dir = await scratch(t);
  const bytes = await tarOf(file('one', 'the first'), file('in/two', 'the second'));
  await writeFile(join(dir, 'ours.tar'), bytes);
  t.is(spawnSync('tar', ['-xf', 'ours.tar'], { cwd: dir }).status, 0);
  t.is(await readFile(join(dir, 'in/two'), 'utf8'), 'the second');
  await mkdir(join(dir, 'x'));
  await writeFile(join(dir, 'x', 'n'.repeat(150)), 'long');
  for (const format of ['gnu', 'posix', 'ustar']) {
    const made = spawnSync(
      'tar',
      [`--format=${format}`, '-cf', '-', './one', 'in', ...(format === 'ustar' ? [] : ['x'])],
      {
        cwd: dir,
      },
    );
    const expected = ['one', 'in/two', ...(format === 'ustar' ? [] : [`x/${'n'.repeat(150)}`])];
    t.deepEqual(await namesIn(pieces(made.stdout)), expected, format);
  }
});

test('a member that nobody reads, or only in part, is passed over', async (t) => {
  const bytes = await tarOf(file('1', Buffer.alloc(300_000)), file('2', Buffer.alloc(300_000)), file('3', 'last'));
  const seen: string[] = [];
  for await (const { name, body } of readTar(pieces(bytes, 70_000))) {
    seen.push(name);
    if (name === '2') for await (const _ of body) break;
  }
  t.deepEqual(seen, ['1', '2', '3']);
});

test('who has read enough may go', async (t) => {
  let closed = false;
  const endless = async function* () {
    try {
      yield (await tarOf(file('1', 'x'))).subarray(0, 1024);
      for (;;) yield (await tarOf(file('2', Buffer.alloc(10_000)))).subarray(0, -1024);
    } finally {
      closed = true;
    }
  };
  for await (const _ of readTar(endless())) break;
  await new Promise((resolve) => setImmediate(resolve));
  t.true(closed);
});

test('links, devices and names that lead elsewhere are refused', async (t) => {
  const dir = await scratch(t);
  await symlink('/etc/passwd', join(dir, 'link'));
  const linked = spawnSync('tar', ['-cf', '-', 'link'], { cwd: dir }).stdout;
  await t.throwsAsync(namesIn(pieces(linked)), {
    instanceOf: BadTar,
    message: '"link" is a symlink, where only files are taken',
  });
  const hostile = [
    [{ name: 'hard', type: 'link', linkname: '/etc/passwd' }, /"hard" is a link/],
    [{ name: 'dev', type: 'block-device' }, /block-device/],
    [{ name: 'fifo', type: 'fifo' }, /fifo/],
    [{ name: '../up', content: 'x' }, /"\.\.\/up" is no name/],
    [{ name: 'a/../../up', content: 'x' }, /is no name/],
    [{ name: '/etc/passwd', content: 'x' }, /is no name/],
    [{ name: 'a//b', content: 'x' }, /is no name/],
    [{ name: 'a\\b', content: 'x' }, /is no name/],
    [{ name: '../d', type: 'directory' }, /is no name/],
  ] as const;
  for (const [header, message] of hostile) {
    await t.throwsAsync(namesIn(pieces(await made(header))), { instanceOf: BadTar, message }, header.name);
  }
});

test('what is cut short, or is no tar, says so', async (t) => {
  const bytes = await tarOf(file('1', Buffer.alloc(3000, 'x')));
  for (const length of [100, 600, 2000, 512 + 3000]) {
    await t.throwsAsync(
      namesIn(pieces(bytes.subarray(0, length))),
      { instanceOf: BadTar, message: 'the tar is cut short' },
      `${length}`,
    );
  }
  await t.throwsAsync(namesIn(pieces(Buffer.alloc(5000, 'no tar'))), { instanceOf: BadTar, message: /no tar/ });
  const harmed = Buffer.from(bytes);
  harmed[3] = 0x41;
  await t.throwsAsync(namesIn(pieces(harmed)), { instanceOf: BadTar });
});

test('headers and zeros without end are refused before they have cost much', async (t) => {
  const long = (await made({ name: 'x'.repeat(1000), content: 'y' })).subarray(0, 2048);
  for (const [what, again] of [
    ['headers', long],
    ['zeros', Buffer.alloc(64 << 10)],
  ] as const) {
    let sent = 0;
    const bomb = async function* () {
      for (; sent < 1 << 30; sent += again.length)
        yield Buffer.from(again.subarray(0, what === 'headers' ? 1536 : again.length));
    };
    await t.throwsAsync(namesIn(bomb()), { instanceOf: BadTar }, what);
    t.true(sent < 32 << 20, `${what}: ${sent}`);
  }
});

test('what the source fails with is what is told', async (t) => {
  const bytes = await tarOf(file('1', Buffer.alloc(300_000)));
  const failing = async function* () {
    yield bytes.subarray(0, 100_000);
    throw new TypeError('the line is down');
  };
  await t.throwsAsync(namesIn(failing()), { instanceOf: TypeError, message: 'the line is down' });
});

test('a file that is shorter than was said spoils the tar', async (t) => {
  const lying = { ...file('1', 'abc'), size: 5 };
  await t.throwsAsync(tarOf(lying), { message: '1 has 3 bytes, not 5' });
});

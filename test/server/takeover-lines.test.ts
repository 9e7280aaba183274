import { PassThrough } from 'node:stream';
import test from 'ava';
import type { TakenImage, TakeoverReport } from '../../server/model/takeover.js';
import { showProgress, summary } from '../../server/takeover-lines.js';
import { numbered } from '../support/fixtures.js';

const report: TakeoverReport = {
  directory: '/old',
  what: 'the base directory of a reference server',
  started: '',
  ended: '',
  counts: { taken: 1, 'already here': 0, 'deleted here': 0, 'not taken': 0 },
  bytes: 1536,
  images: [{ uuid: numbered(1), name: 'base', outcome: 'taken', reasons: [], mended: ['v: x'], warnings: [] }],
  keys: [],
  strays: [],
};

test('what went well takes three lines', (t) => {
  t.is(
    summary(report, '/data/report.json'),
    'Taken over from /old, the base directory of a reference server:\n  1 image taken, 1.5 KiB\n  the whole of it: /data/report.json',
  );
});

test('what did not is named, a few by uuid, and moves no cursor', (t) => {
  const images: TakenImage[] = Array.from({ length: 12 }, (_, at) => ({
    uuid: numbered(at + 1),
    name: 'bad\u001b[2J\nname',
    outcome: 'not taken',
    reasons: ['os: is missing', 'type: is missing'],
    mended: [],
    warnings: [],
  }));
  const warned: TakenImage = { ...images[0]!, outcome: 'taken', reasons: [], warnings: ['origin: is not here'] };
  const lines = summary(
    {
      ...report,
      counts: { taken: 1, 'already here': 2, 'deleted here': 1, 'not taken': 12 },
      images: [...images, warned],
      keys: [
        { file: 'local/a.keys', outcome: 'taken', reasons: [], added: 2, keys: [] },
        { file: 'local/b.keys', outcome: 'not taken', reasons: ['it is no file'], added: 0, keys: [] },
      ],
      strays: ['x: belongs to no image', 'y: belongs to no image'],
    },
    'r',
  ).split('\n');
  t.deepEqual(lines.slice(1, 7), [
    '  1 image taken, 1.5 KiB',
    '  2 images already here',
    '  1 image taken earlier and deleted here since: left so',
    '  2 keys added',
    '  12 images could not be taken:',
    `    ${numbered(1)} bad [2J name: os: is missing; type: is missing`,
  ]);
  t.deepEqual(lines.slice(-6), [
    '    and 2 more',
    '  1 image with warnings:',
    `    ${numbered(1)} bad [2J name: origin: is not here`,
    '  keys of local/b.keys could not be taken: it is no file',
    '  2 strays left there: x: belongs to no image, and 1 more',
    '  the whole of it: r',
  ]);
  t.is(lines.length, 22);
});

test('a terminal sees one line that is written again and is gone at the end', async (t) => {
  const out = new PassThrough({ encoding: 'utf8' });
  const progress = showProgress(Object.assign(out, { isTTY: true }) as unknown as NodeJS.WriteStream);
  progress.update({ images: 3, ofImages: 10, bytes: 2048, ofBytes: 3 * 1024 ** 3, copied: 0 });
  const written: string[] = [];
  for await (const piece of out) {
    if (written.push(piece) > 1) continue;
    progress.end();
    out.end();
  }
  t.is(written[0], '\r\u001b[Ktaking over: 3 of 10 images, 2.0 KiB of 3.0 GiB, 0 bytes/s');
  t.is(written.slice(1).join(''), '\r\u001b[K');
});

import test from 'ava';
import { jsonElements, NoArray } from '../../imgapi/json-elements.js';

/** The text in pieces of so many bytes. */
async function* pieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function elements(text: string, { size = 1, most = 1000 } = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const element of jsonElements(pieces(text, size), most)) found.push(element);
  return found;
}

const arrays = [
  [],
  [{}],
  [1, 'two', null, [3, [4]], { five: '6,7]' }],
  ['quotes " and \\" and \\\\', '\\', '"', ']', '},{', 'ä€😀'],
  [{ a: [{ b: [] }] }, [[], [[]]]],
];

for (const array of arrays) {
  test(`each element of ${JSON.stringify(array)}, however it is cut`, async (t) => {
    for (const text of [JSON.stringify(array), ` \r\n\t${JSON.stringify(array, null, 2)}\n `]) {
      for (const size of [1, 2, 3, 7, 1000]) {
        t.deepEqual(
          (await elements(text, { size })).map((element) => JSON.parse(element)),
          array,
          `${text} by ${size}`,
        );
      }
    }
  });
}

for (const [text, message] of [
  ['<html>', /^no JSON$/],
  ['', /ended early/],
  ['   ', /ended early/],
  ['{"uuid": 1}', /^no list of objects$/],
  ['"text"', /^no list of objects$/],
  ['[{"uuid": 1}', /ended early/],
  ['[{"uuid": "]', /ended early/],
  ['[1] 2', /more behind it/],
  ['[1][2]', /more behind it/],
  [`[${JSON.stringify('x'.repeat(2000))}]`, /more than 1000 bytes/],
  [`[1, ${'['.repeat(2000)}`, /more than 1000 bytes/],
] as const) {
  test(`refused: ${JSON.stringify(text.slice(0, 20))}`, async (t) => {
    for (const size of [1, 1000]) {
      await t.throwsAsync(() => elements(text, { size }), { instanceOf: NoArray, message });
    }
  });
}

test('a comma too many makes an element that is no JSON', async (t) => {
  t.deepEqual((await elements('[1,]')).length, 2);
  t.deepEqual((await elements('[,]')).length, 2);
});

test('what is no array is refused before the rest of it comes', async (t) => {
  let taken = 0;
  const endless = async function* () {
    for (;;) {
      taken += 1;
      yield Buffer.from('<p>'.repeat(1000));
    }
  };
  await t.throwsAsync(async () => {
    for await (const _ of jsonElements(endless(), 1000));
  });
  t.is(taken, 1);
});

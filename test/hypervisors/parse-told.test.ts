import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import { parseJson, partsOf } from '../../server/hypervisors/parse-told.js';
import { parseImages, parseVms } from '../../server/hypervisors/parse-vmadm.js';
import { parseRows } from '../../server/hypervisors/parse-zfs.js';
import { parseXml } from '../../server/hypervisors/xml.js';
import { refusalOf } from '../../server/operations/ask-node.js';

const MANY = 600_000;

test('what takes far more memory than it has bytes is not read', (t) => {
  const floods: [what: string, read: () => unknown][] = [
    ['objects', () => parseVms(`[${'{},'.repeat(MANY)}{}]`)],
    ['lists', () => parseImages('['.repeat(MANY))],
    ['lines', () => parseRows('\t\n'.repeat(MANY), 2)],
    ['fields', () => partsOf('\0'.repeat(MANY), '\0')],
    ['elements', () => parseXml(`<a>${'<b/>'.repeat(MANY)}</a>`)],
  ];
  for (const [what, read] of floods) t.throws(read, { instanceOf: SyntaxError, message: /more than \d+ / }, what);
});

test('as much as a large node has is read', (t) => {
  const machines = Array.from({ length: 20_000 }, (_, n) => ({ n, nics: [{}], disks: [{}, {}], tags: {} }));
  t.deepEqual(parseJson(JSON.stringify(machines)), machines);
  t.is(partsOf('a\n'.repeat(400_000), '\n').length, 400_001);
});

test('what can not be read is told as the fault of the node', (t) => {
  const refusal = refusalOf(t.throws(() => parseJson('{'.repeat(10))));
  t.true(refusal instanceof ImgapiError && refusal.code === 'NodeFailed');
  t.regex(String(refusal), /can not be read/);
});

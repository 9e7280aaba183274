import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import test from 'ava';
import {
  BEGINNING,
  canonical,
  type ExportLine,
  type Head,
  isSignedBy,
  type Link,
  linked,
  type Seal,
  type Signed,
  verifyExport,
} from '../../imgapi/audit-chain.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

function signed<T extends object>(content: T, key: KeyObject = privateKey): Signed<T> {
  return { ...content, signature: sign(null, Buffer.from(canonical(content)), key).toString('base64') };
}

type Entry = Link & { what: string };

function chainOf(length: number, chain = 'changes'): Entry[] {
  const entries: Entry[] = [];
  let head: Head = { chain, seq: 0, hash: BEGINNING };
  for (let n = 1; n <= length; n++) {
    const entry = linked({ what: `act ${n}` }, head);
    entries.push(entry);
    head = entry;
  }
  return entries;
}

const headOf = ({ chain, seq, hash }: Link) => signed({ chain, seq, hash, time: '2030-01-01T00:00:00.000Z' });
const lines = (entries: Entry[]) => structuredClone(entries) as ExportLine[];
const found = async (all: ExportLine[], heads: Signed<Head>[], key = pem) =>
  (await verifyExport(all, heads, key)).faults.map(({ chain, seq, what }) => `${chain} ${seq} ${what}`);

test('the same value is the same text, in whatever order it was made', (t) => {
  t.is(canonical({ b: 1, a: [{ d: null, c: 'ü"' }], e: undefined }), '{"a":[{"c":"ü\\"","d":null}],"b":1}');
  t.is(canonical(JSON.parse(canonical({ z: { y: 1, x: [] } }))), '{"z":{"x":[],"y":1}}');
});

test('an export that is whole has no faults, however many chains it holds', async (t) => {
  const [one, other] = [chainOf(5), chainOf(3, 'accesses')];
  const report = await verifyExport(lines([...other, ...one]), [headOf(one.at(-1)!), headOf(other.at(-1)!)], pem);
  t.deepEqual(report.faults, []);
  t.is(report.entries, 8);
  t.deepEqual(
    report.chains.map(({ chain, seq }) => `${chain} ${seq}`),
    ['accesses 3', 'changes 5'],
  );
});

test('what came after the head is no fault', async (t) => {
  const entries = chainOf(6);
  t.deepEqual(await found(lines(entries), [headOf(entries[2]!)]), []);
});

for (const at of [0, 2, 4]) {
  test(`entry ${at + 1} of 5: changed, left out, exchanged`, async (t) => {
    const entries = chainOf(5);
    const head = [headOf(entries.at(-1)!)];
    const seq = at + 1;

    const changed = lines(entries);
    Object.assign(changed[at]!, { what: 'something else' });
    t.deepEqual(await found(changed, head), [`changes ${seq} tampered`]);

    const without = lines(entries).toSpliced(at, 1);
    t.deepEqual(await found(without, head), [`changes ${seq} ${at === 4 ? 'cut off' : 'missing'}`]);

    // Whoever changes an entry and its hash as well is given away by the next one, or by the head.
    const forged = lines(entries);
    const before = at === 0 ? { chain: 'changes', seq: 0, hash: BEGINNING } : entries[at - 1]!;
    forged[at] = linked({ what: 'forged' }, before) as ExportLine;
    t.deepEqual(await found(forged, head), [at === 4 ? 'changes 5 tampered' : `changes ${seq + 1} tampered`]);
  });
}

test('a chain that was made anew from some point on is not the one of the head', async (t) => {
  const entries = chainOf(5);
  const anew = chainOf(5).slice(0, 2);
  for (let n = 3; n <= 5; n++) anew.push(linked({ what: `other ${n}` }, anew.at(-1)!));
  t.deepEqual(await found(lines(anew), [headOf(entries.at(-1)!)]), ['changes 5 tampered']);
});

test('entries that changed places, or stand there twice', async (t) => {
  const entries = chainOf(4);
  const head = [headOf(entries.at(-1)!)];
  const [first, second, third, fourth] = lines(entries) as [ExportLine, ExportLine, ExportLine, ExportLine];
  t.deepEqual(await found([first, third, second, fourth], head), ['changes 2 missing', 'changes 2 reordered']);
  t.deepEqual(await found([first, second, second, third, fourth], head), ['changes 2 reordered']);
});

test('a chain of which nothing is left', async (t) => {
  t.deepEqual(await found([], [headOf(chainOf(3).at(-1)!)]), ['changes 1 cut off']);
});

test('a head that somebody else has signed, or nobody, or for another place', async (t) => {
  const entries = chainOf(3);
  const { chain, seq, hash } = entries.at(-1)!;
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const good = headOf(entries.at(-1)!);
  for (const head of [
    signed({ chain, seq, hash, time: '' }, stranger),
    { ...good, signature: '' },
    { ...good, time: '2031-01-01T00:00:00.000Z' },
  ]) {
    t.deepEqual(await found(lines(entries), [head]), ['changes 3 not signed']);
  }
  t.false(isSignedBy('no key', good));
  t.true(isSignedBy(pem, good));
});

test('old entries are replaced by a seal that holds their hash', async (t) => {
  const entries = chainOf(6);
  const [first, last] = [entries[0]!, entries[3]!];
  const seal: Seal = {
    ...{ chain: 'changes', from: 1, to: 4, previous: first.previous, hash: last.hash },
    time: '2030-01-01T00:00:00.000Z',
  };
  const head = [headOf(entries.at(-1)!)];
  const rest = lines(entries.slice(4));
  t.deepEqual(await found([{ seal: signed(seal) }, ...rest], head), []);
  t.deepEqual(await found([{ seal: { ...signed(seal), to: 3 } }, ...rest], head), [
    'changes 1 not signed',
    'changes 4 missing',
  ]);
  t.deepEqual(await found([{ seal: signed({ ...seal, hash: 'f'.repeat(64) }) }, ...rest], head), [
    'changes 5 tampered',
  ]);
  t.deepEqual(await found(rest, head), ['changes 1 missing']);
});

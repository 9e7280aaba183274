import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Content } from '../../server/model/audit.js';
import { appendEntries } from '../../server/operations/append-entries.js';
import { openCatalog } from '../../storage/open.js';

const AT_ONCE = 2000;
const FIRST = Date.parse('2020-01-01T00:00:00Z');
const MINUTE = 60_000;

/** So many entries tell of the same object. */
export const OF_AN_OBJECT = 100;

export const objectOf = (n: number, count: number) => uuidOf(n % Math.ceil(count / OF_AN_OBJECT));

/** Fills the audit of a data directory that no daemon has open: changes of images by 50 users in 20 data centers. */
export async function fillAudit(data: string, count: number): Promise<void> {
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  try {
    for (let first = 0; first < count; first += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, n) => first + n);
      await catalog.write((tx) =>
        appendEntries(
          tx,
          'changes',
          numbers.map((n) => contentOf(n, count)),
        ),
      );
    }
  } finally {
    await catalog.close();
  }
}

function contentOf(n: number, count: number): Content {
  const id = objectOf(n, count);
  const datacenters = [`dc-${n % 20}`];
  return {
    id: uuidOf(count + n),
    time: new Date(FIRST + n * MINUTE).toISOString(),
    who: { name: `user-${n % 50}`, kind: 'user', uuid: uuidOf(-1 - (n % 50)), token: 'console' },
    from: `10.0.${n % 256}.${n % 100}`,
    what: 'ActOnImage update',
    request: uuidOf(2 * count + n),
    objects: [{ kind: 'images', id, name: `image-${id.slice(0, 8)}`, action: 'changed', datacenters }],
    datacenters,
    result: 'done',
  };
}

function uuidOf(n: number): string {
  const hex = createHash('sha256').update(String(n)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

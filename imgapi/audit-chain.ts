import { createHash, createPublicKey, verify } from 'node:crypto';

/** A link of a chain of records: each holds the hash of the one before it. */
export interface Link {
  chain: string;
  /** From 1, without gaps. */
  seq: number;
  /** The hash of the link before. */
  previous: string;
  /** Of all else in it, as `canonical` spells it. */
  hash: string;
}

/** How far a chain goes, and the hash of its last link. */
export interface Head {
  chain: string;
  seq: number;
  hash: string;
}

/** What is left of links that were taken out because they are old. */
export interface Seal {
  chain: string;
  from: number;
  to: number;
  /** What the first one followed. */
  previous: string;
  /** That of the last one. */
  hash: string;
  time: string;
}

/** Ed25519, over `canonical` of all but itself. */
export type Signed<T> = T & { signature: string };

/** A line of an export. */
export type ExportLine = Link | { seal: Signed<Seal> };

export interface Fault {
  chain: string;
  seq: number;
  what: 'tampered' | 'missing' | 'reordered' | 'cut off' | 'not signed';
  message: string;
}

export interface Verified {
  entries: number;
  chains: Head[];
  faults: Fault[];
}

/** What the first link of a chain follows. */
export const BEGINNING = '0'.repeat(64);

/** JSON whose objects have their fields in order: the same value is the same text, whoever writes it. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, held]) => held !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, held]) => `${JSON.stringify(name)}:${canonical(held)}`).join(',')}}`;
}

export function hashOf({ hash, ...content }: object & { hash?: string }): string {
  return createHash('sha256').update(canonical(content)).digest('hex');
}

/** The next link of the chain that ends in this head. */
export function linked<T extends object>(content: T, { chain, seq, hash }: Head): T & Link {
  const next = { ...content, chain, seq: seq + 1, previous: hash };
  return { ...next, hash: hashOf(next) };
}

/** `key` is a public key in PEM. */
export function isSignedBy(key: string, { signature, ...content }: Signed<object>): boolean {
  try {
    return verify(null, Buffer.from(canonical(content)), createPublicKey(key), Buffer.from(signature, 'base64'));
  } catch {
    return false; // neither a key nor a signature of one
  }
}

/**
 * Holds an export against heads that were taken before it: whatever was changed, left out, turned round or cut off in
 * between shows. Where `key` is given, heads and seals must be signed by it.
 */
export async function verifyExport(
  lines: AsyncIterable<ExportLine> | Iterable<ExportLine>,
  heads: readonly Signed<Head>[],
  key?: string,
): Promise<Verified> {
  const faults: Fault[] = [];
  const wanted = new Map(heads.map((head) => [head.chain, head]));
  const ends = new Map<string, Head>();
  const met = new Set<string>();
  let entries = 0;

  /** Where a head stands, its hash must be what it says. */
  const meet = (end: Head, behind: number) => {
    ends.set(end.chain, end);
    const head = wanted.get(end.chain);
    if (!head || head.seq > end.seq || head.seq <= behind || met.has(end.chain)) return;
    met.add(end.chain);
    if (head.seq === end.seq && head.hash !== end.hash) {
      faults.push(
        fault(end, 'tampered', `entry ${end.seq} of ${end.chain} is not the one that the signed head tells of`),
      );
    }
  };

  for (const head of heads) {
    if (key !== undefined && !isSignedBy(key, head)) {
      faults.push(fault(head, 'not signed', `the head of ${head.chain} at ${head.seq} is not signed by the key`));
    }
  }
  for await (const line of lines) {
    const from = 'seal' in line && isSeal(line.seal) ? line.seal.from : (line as Link).seq;
    const link: Head & { previous: string } = 'seal' in line && isSeal(line.seal) ? sealed(line.seal) : (line as Link);
    const last = ends.get(link.chain) ?? { chain: link.chain, seq: 0, hash: BEGINNING };
    const at = { chain: link.chain, seq: from };
    if (link === line) {
      entries += 1;
      if (hashOf(line as Link) !== link.hash)
        faults.push(fault(at, 'tampered', `entry ${from} of ${link.chain} was changed`));
    } else if (key !== undefined && !isSignedBy(key, (line as { seal: Signed<Seal> }).seal)) {
      faults.push(
        fault(at, 'not signed', `the seal over ${from} to ${link.seq} of ${link.chain} is not signed by the key`),
      );
    }
    if (from <= last.seq) {
      faults.push(fault(at, 'reordered', `entry ${from} of ${link.chain} comes behind ${last.seq}`));
      continue;
    }
    if (from > last.seq + 1) {
      const gap = from - 1 === last.seq + 1 ? `${last.seq + 1}` : `${last.seq + 1} to ${from - 1}`;
      faults.push(fault({ chain: link.chain, seq: last.seq + 1 }, 'missing', `of ${link.chain}, ${gap} is missing`));
    } else if (link.previous !== last.hash) {
      faults.push(
        fault(
          at,
          'tampered',
          `entry ${from} of ${link.chain} does not follow the one before it: one of them was changed`,
        ),
      );
    }
    meet({ chain: link.chain, seq: link.seq, hash: link.hash }, last.seq);
  }
  for (const { chain, seq } of heads) {
    const end = ends.get(chain)?.seq ?? 0;
    if (end >= seq) continue;
    faults.push(fault({ chain, seq: end + 1 }, 'cut off', `${chain} ends at ${end}, and its signed head is at ${seq}`));
  }
  return { entries, chains: [...ends.values()], faults };
}

const fault = ({ chain, seq }: { chain: string; seq: number }, what: Fault['what'], message: string): Fault => ({
  chain,
  seq,
  what,
  message,
});

const isSeal = (seal: unknown): seal is Signed<Seal> => typeof seal === 'object' && seal !== null;

const sealed = ({ chain, to, hash, previous }: Seal) => ({ chain, seq: to, hash, previous });

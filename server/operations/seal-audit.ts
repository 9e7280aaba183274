import type { Seal } from '../../imgapi/audit-chain.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type AuditEntry, auditEntries, auditHeads, auditSeals, entryId } from '../model/audit.js';

const DAY = 86_400_000;

/** So many in one write. */
const AT_ONCE = 1000;

/**
 * Takes entries out that are older than they are kept, and puts a signed seal in their place that holds the hash of the
 * last one: what follows it can be verified as before. The last entry of a chain stays. Returns how many went.
 */
export async function sealAudit({ catalog, audit, policy, now }: Deps): Promise<number> {
  if (policy.auditDays === 0) return 0;
  const before = new Date(now().getTime() - policy.auditDays * DAY).toISOString();
  const chains: string[] = [];
  for await (const { chain } of catalog.list(auditHeads)) chains.push(chain);
  let sealed = 0;
  for (const chain of chains) {
    for (let went = AT_ONCE; went === AT_ONCE; sealed += went) {
      went = await catalog.write((tx) =>
        sealSome(tx, chain, before, (seal) => audit.sign({ ...seal, time: now().toISOString() })),
      );
    }
  }
  return sealed;
}

type Sign = (seal: Omit<Seal, 'time'>) => Seal & { signature: string };

async function sealSome(tx: Tx, chain: string, before: string, sign: Sign): Promise<number> {
  const head = await tx.get(auditHeads, chain);
  const old: AuditEntry[] = [];
  for await (const { record } of tx.range(auditEntries, 'id', { prefix: `${chain}/`, limit: AT_ONCE })) {
    if (record.time >= before || record.seq === head?.seq) break;
    old.push(record);
  }
  const [first, last] = [old[0], old.at(-1)];
  if (!first || !last) return 0;
  for (const entry of old) await tx.delete(auditEntries, entryId(entry));
  const known = await sealOf(tx, chain);
  if (known) await tx.delete(auditSeals, auditSeals.id(known));
  const { from, previous } = known ?? { from: first.seq, previous: first.previous };
  await tx.insert(auditSeals, sign({ chain, from, to: last.seq, previous, hash: last.hash }));
  return old.length;
}

/** Each chain has one at most: it grows. */
async function sealOf(tx: Tx, chain: string) {
  for await (const { record } of tx.range(auditSeals, 'id', { prefix: `${chain}/` })) return record;
  return undefined;
}

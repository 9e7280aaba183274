import { BEGINNING, type Head, linked } from '../../imgapi/audit-chain.js';
import type { Tx } from '../../storage/catalog.js';
import { type AuditEntry, auditEntries, auditHeads, type Content } from '../model/audit.js';

/** Puts entries behind the last one of a chain; to be called once in a write, at its end. */
export async function appendEntries(tx: Tx, chain: string, contents: readonly Content[]): Promise<void> {
  const known = await tx.get(auditHeads, chain);
  let head: Head = known ?? { chain, seq: 0, hash: BEGINNING };
  for (const content of contents) {
    const entry: AuditEntry = linked(content, head);
    head = { chain, seq: entry.seq, hash: entry.hash };
    await tx.insert(auditEntries, entry);
  }
  if (known) await tx.replace(auditHeads, head);
  else await tx.insert(auditHeads, head);
}

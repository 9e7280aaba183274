import { readFile } from 'node:fs/promises';
import type { Head, Signed } from '../../imgapi/audit-chain.js';
import type { Reader } from '../../storage/catalog.js';
import { replaceFile } from '../../storage/durable.js';
import { auditEntries, auditSeals, entryId } from '../model/audit.js';

export interface HeadFile {
  write(heads: readonly Signed<Head>[]): Promise<void>;
}

export const headFile = (path: string): HeadFile => ({
  write: (heads) => replaceFile(path, `${JSON.stringify(heads, null, 2)}\n`),
});

/** What the file tells of and the catalog has not, for people; nothing where all is there. */
export async function missingSince(path: string, reader: Reader): Promise<string[]> {
  const missing: string[] = [];
  for (const head of await headsIn(path)) if (!(await has(reader, head))) missing.push(`${head.chain} at ${head.seq}`);
  return missing;
}

async function headsIn(path: string): Promise<Head[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  try {
    const heads: unknown = JSON.parse(text);
    return Array.isArray(heads) ? heads : [];
  } catch (cause) {
    throw new Error(`${path} is not JSON: move it away if you know why`, { cause });
  }
}

async function has(reader: Reader, head: Head): Promise<boolean> {
  const entry = await reader.get(auditEntries, entryId(head));
  if (entry) return entry.hash === head.hash;
  // it may have been sealed since
  for await (const { record } of reader.range(auditSeals, 'id', { prefix: `${head.chain}/` })) {
    if (record.from <= head.seq && head.seq <= record.to) return true;
  }
  return false;
}

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type ExportLine, type Head, type Signed, type Verified, verifyExport } from '../imgapi/audit-chain.js';
import { isRecord } from '../imgapi/checks.js';
import { atPath } from './at-path.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { readJson } from './field.js';
import { DASH, interruptible, standardInput } from './input.js';
import { jsonLines } from './json-lines.js';
import type { Management } from './management.js';

/** How far the chains went when it was told, and by which key that is signed. */
export interface Heads {
  heads: Signed<Head>[];
  key: string | undefined;
}

export interface Evidence {
  /** An export, or the server's own. */
  file: string | undefined;
  /** A file with heads that were kept, or the server's own. */
  heads: string | undefined;
  /** A file with the public key, or the one that came with the heads. */
  key: string | undefined;
}

/** Whether an export holds all that the heads tell of, as it was. The heads are had first: what comes later is more. */
export async function verifyAudit(
  { file, heads: path, key: keyPath }: Evidence,
  server: () => Promise<Management>,
  context: Context,
): Promise<Verified> {
  const told = path === undefined ? (await (await server()).ask('GET', '/api/audit/head')).result : undefined;
  const { heads, key } = headsIn(told ?? (await readJson(path ?? DASH, context)), path ?? 'the answer of the server');
  const wanted = keyPath === undefined ? key : await atPath(keyPath, readFile(keyPath, 'utf8'));
  const lines = jsonLines(file ?? 'the export', await exportOf(file, server, context));
  return verifyExport(lines as AsyncIterable<ExportLine>, heads, wanted);
}

async function exportOf(
  file: string | undefined,
  server: () => Promise<Management>,
  context: Context,
): Promise<AsyncIterable<Buffer>> {
  if (file === undefined) return (await (await server()).exchange.send('GET', '/api/audit/export')).body;
  return interruptible(file === DASH ? standardInput(context) : createReadStream(file), context.signal);
}

/** As the server tells them, or as it keeps them in a file of its own. */
function headsIn(value: unknown, where: string): Heads {
  const { heads, key } = isRecord(value) ? value : { heads: value, key: undefined };
  if (Array.isArray(heads) && heads.every(isHead)) return { heads, key: typeof key === 'string' ? key : undefined };
  throw new CliError(`${where} holds no heads of an audit`, { hint: '"slipway audit heads --json" tells them' });
}

const isHead = (value: unknown): value is Signed<Head> =>
  isRecord(value) &&
  typeof value.seq === 'number' &&
  [value.chain, value.hash, value.signature].every((member) => typeof member === 'string');

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, replaceFile } from '../../storage/durable.js';
import type { LeftRecord } from '../../storage/sources.js';
import type { TakenKeys } from '../model/takeover.js';

/** Adds the keys of a file to those here: what is here stays, and what was taken once and is gone stays away. */
export async function takeOverKeys(
  { name, record }: { name: string; record: LeftRecord },
  directory: string,
  takenBefore: readonly string[],
): Promise<TakenKeys> {
  let theirs: string[];
  try {
    theirs = keysIn(await record.text());
  } catch (error) {
    const reasons = [error instanceof Error ? error.message : String(error)];
    return { file: name, outcome: 'not taken', reasons, added: 0, keys: [...takenBefore] };
  }
  const path = join(directory, name);
  const here = await contentOf(path);
  const known = new Set([...keysIn(here).map(digestOf), ...takenBefore]);
  const missing = theirs.filter((key) => !known.has(digestOf(key)));
  if (missing.length > 0) {
    await makeDirectory(dirname(path));
    const kept = here === '' || here.endsWith('\n') ? here : `${here}\n`;
    await replaceFile(path, `${kept}${missing.join('\n')}\n`);
  }
  return {
    file: name,
    outcome: missing.length > 0 ? 'taken' : 'already here',
    reasons: [],
    added: missing.length,
    keys: [...new Set([...takenBefore, ...theirs.map(digestOf)])],
  };
}

/** Each once, with its comment. */
function keysIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))];
}

/** Of the key alone, as every ssh key is written: the comment behind it, or options before, may have been edited. */
const digestOf = (line: string) =>
  createHash('sha256')
    .update(/(?:^|\s)(AAAA[\w+/=]+)/.exec(line)?.[1] ?? line)
    .digest('hex');

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

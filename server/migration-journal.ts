import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../storage/durable.js';
import type { Verified } from '../storage/move.js';

/** What is kept in DATA of a move that is under way, so that the next attempt begins where this one ended. */
export interface Journey {
  config: string;
  started: string;
}

const FILE = 'migration.json';
/** A key a line; a line that is lost costs reading a blob once more. */
const VERIFIED = 'migration-verified';

export async function readJourney(data: string): Promise<Journey | undefined> {
  try {
    return JSON.parse(await readFile(join(data, FILE), 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** One that goes elsewhere than the last begins anew. */
export async function beginJourney(data: string, config: string, now: Date): Promise<Journey> {
  const known = await readJourney(data);
  if (known?.config === config) return known;
  await forgetJourney(data);
  const journey = { config, started: now.toISOString() };
  await replaceFile(join(data, FILE), `${JSON.stringify(journey)}\n`);
  return journey;
}

export async function forgetJourney(data: string): Promise<void> {
  for (const name of [VERIFIED, FILE]) await rm(join(data, name), { force: true });
}

/** What has been found good there, of all attempts. */
export class VerifiedFile implements Verified {
  readonly #sure = new Set<string>();

  private constructor(
    private readonly earlier: ReadonlySet<string>,
    private readonly file: FileHandle,
  ) {}

  static async open(data: string): Promise<VerifiedFile> {
    const file = await open(join(data, VERIFIED), 'a+', 0o600);
    const text = await file.readFile('utf8');
    // What a crash has cut off is no whole line.
    return new VerifiedFile(new Set(text.split('\n').slice(0, -1)), file);
  }

  isSure(key: string): boolean {
    return this.#sure.has(key);
  }

  wasSure(key: string): boolean {
    return this.earlier.has(key);
  }

  async add(key: string): Promise<void> {
    if (this.#sure.has(key)) return;
    this.#sure.add(key);
    if (!this.earlier.has(key)) await this.file.write(`${key}\n`);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

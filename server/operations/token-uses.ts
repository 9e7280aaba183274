import type { Catalog, Kind, Tx } from '../../storage/catalog.js';
import { nodeTokens } from '../model/node-token.js';
import { prolonged, sessions } from '../model/session.js';
import { tokens } from '../model/token.js';

interface Used {
  hash: string;
  lastUsed?: string;
}

const MINUTE = 60_000;

/** When tokens were used last: kept in memory by each request, and written once in a while. */
export class TokenUses {
  #noted = new Map<string, number>();

  constructor(private readonly now: () => Date) {}

  /** As exact as it is written: to the minute. */
  note(hash: string): void {
    const now = this.now().getTime();
    if (now - (this.#noted.get(hash) ?? 0) >= MINUTE) this.#noted.set(hash, now);
  }

  /** With what has not been written yet. */
  of<T extends Used>(record: T): T {
    const noted = this.#noted.get(record.hash);
    return noted !== undefined ? { ...record, lastUsed: new Date(noted).toISOString() } : record;
  }

  /** What can not be written is noted still. */
  async flush(catalog: Pick<Catalog, 'write'>): Promise<void> {
    if (this.#noted.size === 0) return;
    const noted = this.#noted;
    this.#noted = new Map();
    try {
      await catalog.write(async (tx) => {
        for (const [hash, at] of noted) {
          const lastUsed = new Date(at).toISOString();
          await keep(tx, tokens, hash, lastUsed);
          // so that no write is needed to prolong them
          await keep(tx, sessions, hash, lastUsed, (session) => prolonged(session, new Date(at)));
          await keep(tx, nodeTokens, hash, lastUsed);
        }
      });
    } catch (error) {
      this.#noted = new Map([...noted, ...this.#noted]);
      throw error;
    }
  }
}

/** Where it is of that kind, and was not revoked meanwhile. */
async function keep<T extends Used>(
  tx: Tx,
  kind: Kind<T>,
  hash: string,
  lastUsed: string,
  used = (record: T) => record,
): Promise<void> {
  const record = await tx.get(kind, hash);
  if (record) await tx.replace(kind, { ...used(record), lastUsed });
}

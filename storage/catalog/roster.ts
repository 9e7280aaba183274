import type { Member } from '../members.js';

/** A member as its row tells of it. */
export interface Listed extends Member {
  /** Of its start: its connections are named so. */
  process: string;
  /** Who has been in for longest has the lowest. */
  number: number;
  beat: number;
  taken: number;
  snapshots: number;
}

interface Waiting {
  sequence: number;
  of: Set<string>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Who is in, as far as is known here: which version of the list, how far each has come, and since when, on this daemon's
 * own count, the beat of each has stood still.
 */
export class Roster {
  #members = new Map<string, Listed & { still: number }>();
  #version = -1;
  readonly #waiting = new Set<Waiting>();

  all(): readonly Listed[] {
    return [...this.#members.values()].sort((a, b) => a.number - b.number);
  }

  has(id: string): boolean {
    return this.#members.has(id);
  }

  /** A list as the database gave it; one that is older than what is known changes nothing. Says whether anybody came or went. */
  see(version: number, listed: Listed[]): boolean {
    if (version < this.#version) return false;
    const now = performance.now();
    const before = this.#members;
    this.#members = new Map(
      listed.map((member) => {
        const known = before.get(member.id);
        const still = known?.beat === member.beat ? known.still : now;
        return [member.id, { ...member, taken: Math.max(member.taken, known?.taken ?? 0), still }];
      }),
    );
    const isOther = version > this.#version;
    this.#version = version;
    this.#look();
    return isOther;
  }

  /** Nobody's silence counts while this daemon could not have heard. */
  forgive(): void {
    const now = performance.now();
    for (const member of this.#members.values()) member.still = now;
  }

  /** Another server may stand there now, that counts otherwise and has not all that the one before had. */
  forget(): void {
    this.#version = -1;
    for (const member of this.#members.values()) member.taken = -1;
  }

  silentFor(length: number): Listed[] {
    const now = performance.now();
    return [...this.#members.values()].filter(({ still }) => now - still >= length);
  }

  taken(id: string, sequence: number): void {
    const member = this.#members.get(id);
    if (!member || member.taken >= sequence) return;
    member.taken = sequence;
    this.#look();
  }

  /** When all of these have taken in so much, or are no longer in; nothing where they have already. */
  whenTaken(sequence: number, ids: Iterable<string>): Promise<void> | undefined {
    const of = new Set(ids);
    this.#strike(of, sequence);
    if (of.size === 0) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.add({ sequence, of, resolve, reject });
    });
  }

  /** Those who wait can not learn any more how far the others are. */
  refuse(error: unknown): void {
    for (const waiting of this.#waiting) waiting.reject(error);
    this.#waiting.clear();
  }

  #look(): void {
    for (const waiting of this.#waiting) {
      this.#strike(waiting.of, waiting.sequence);
      if (waiting.of.size > 0) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  #strike(of: Set<string>, sequence: number): void {
    for (const id of of) {
      const member = this.#members.get(id);
      if (!member || member.taken >= sequence) of.delete(id);
    }
  }
}

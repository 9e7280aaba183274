import { createHash } from 'node:crypto';
import type { Members } from '../../storage/members.js';

const MOST = 100_000;

const TOPIC = 'seen-signatures';

/** So many digests are told at once: a message has room for some kilobytes. */
const MOST_TOLD = 80;

type Told = [second: number, digest: string];

/**
 * Which signatures were used already, for as long as their dates are good. It knows its bounds: when there are too many,
 * the oldest are forgotten, and with them everything dated as early is refused. So nothing passes twice. Other daemons are
 * told at once: what passes here passes there only as long as that is on its way.
 */
export class SeenSignatures {
  readonly #most: number;
  /** What was signed, as digests, by the second of its date. */
  readonly #bySecond = new Map<number, Set<string>>();
  #count = 0;
  /** The latest second of which something was forgotten. */
  #forgotten = Number.NEGATIVE_INFINITY;

  readonly #members: Pick<Members, 'tell'> | undefined;
  #telling: Told[] = [];

  constructor(most = MOST, members?: Pick<Members, 'tell' | 'hear'>) {
    this.#most = most;
    this.#members = members;
    members?.hear(TOPIC, (message) => {
      for (const [second, digest] of message as Told[]) this.#hear(second, digest);
    });
  }

  /** Is this the first use? `oldest`: what is dated earlier is refused by its date. */
  admit(signed: string, date: Date, oldest: Date): boolean {
    this.#forgetBefore(secondOf(oldest));
    const second = secondOf(date);
    // What was signed, and not the signature: of some kinds there are several for the same.
    const digest = createHash('sha256').update(signed).digest('base64');
    if (this.#bySecond.get(second)?.has(digest)) return false;
    if (this.#count >= this.#most) this.#forget(Math.min(...this.#bySecond.keys()));
    if (second <= this.#forgotten) return false;
    this.#remember(second, digest);
    this.#tell(second, digest);
    return true;
  }

  /** Those of one moment together. */
  #tell(second: number, digest: string): void {
    const members = this.#members;
    if (!members) return;
    this.#telling.push([second, digest]);
    if (this.#telling.length > 1) return;
    setImmediate(() => {
      const told = this.#telling;
      this.#telling = [];
      for (let at = 0; at < told.length; at += MOST_TOLD) members.tell(TOPIC, told.slice(at, at + MOST_TOLD));
    });
  }

  #hear(second: number, digest: string): void {
    if (second <= this.#forgotten || this.#bySecond.get(second)?.has(digest)) return;
    if (this.#count >= this.#most) this.#forget(Math.min(...this.#bySecond.keys()));
    if (second > this.#forgotten) this.#remember(second, digest);
  }

  #remember(second: number, digest: string): void {
    const known = this.#bySecond.get(second);
    if (known) known.add(digest);
    else this.#bySecond.set(second, new Set([digest]));
    this.#count += 1;
  }

  #forgetBefore(limit: number): void {
    for (const second of this.#bySecond.keys()) if (second < limit) this.#forget(second);
  }

  #forget(second: number): void {
    this.#count -= this.#bySecond.get(second)?.size ?? 0;
    this.#bySecond.delete(second);
    this.#forgotten = Math.max(this.#forgotten, second);
  }
}

const secondOf = (date: Date) => Math.floor(date.getTime() / 1000);

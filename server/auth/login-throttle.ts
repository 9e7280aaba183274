import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Members } from '../../storage/members.js';
import { Queue } from '../model/queue.js';

/** Wrong passwords in so many seconds, for one user name, whether there is such a user or not, and from one address. */
const WITHIN = 15 * 60;
const FOR_A_NAME = 10;
const FROM_AN_ADDRESS = 50;

/** Each guess takes tens of megabytes and a core: so many at a time, and so many that wait. */
const AT_ONCE = 2;
const MOST_WAITING = 50;

const TOPIC = 'logins';

interface Told {
  what: 'guess' | 'forgiven';
  name?: string | undefined;
  address: string;
}

/** Makes guessing passwords slow, and cheap for us. Daemons count together: who guesses may ask one after another. */
export class LoginThrottle {
  readonly #names = new RateLimiterMemory({ keyPrefix: 'name', points: FOR_A_NAME, duration: WITHIN });
  readonly #addresses = new RateLimiterMemory({ keyPrefix: 'address', points: FROM_AN_ADDRESS, duration: WITHIN });
  readonly #guesses = new Queue(AT_ONCE);
  readonly #tell: (told: Told) => void;

  constructor(members?: Pick<Members, 'tell' | 'hear'>) {
    this.#tell = (told) => members?.tell(TOPIC, told);
    members?.hear(TOPIC, (told) => void this.#hear(told as Told));
  }

  /**
   * Counts before it is known whether the guess is right: those that come at once would all pass otherwise. Of tokens no
   * name is known.
   */
  async admit(name: string | undefined, address: string): Promise<void> {
    await consume(this.#addresses, address);
    if (name !== undefined) await consume(this.#names, name);
    this.#tell({ what: 'guess', name, address });
  }

  /** It was no guess. */
  async forgive(name: string | undefined, address: string): Promise<void> {
    await this.#forgive(name, address);
    this.#tell({ what: 'forgiven', name, address });
  }

  async #forgive(name: string | undefined, address: string): Promise<void> {
    if (name !== undefined) await this.#names.delete(name);
    await this.#addresses.reward(address);
  }

  async #hear({ what, name, address }: Told): Promise<void> {
    if (what === 'forgiven') return this.#forgive(name, address);
    if (name !== undefined) await this.#names.penalty(name);
    await this.#addresses.penalty(address);
  }

  async inTurn<R>(work: () => Promise<R>): Promise<R> {
    if (this.#guesses.waiting >= MOST_WAITING) throw tooMany(1);
    return this.#guesses.run(work);
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  await limiter.consume(key).catch((spent: RateLimiterRes | Error) => {
    if (spent instanceof Error) throw spent;
    throw tooMany(Math.max(1, Math.ceil(spent.msBeforeNext / 1000)));
  });
}

const tooMany = (seconds: number) =>
  new ImgapiError('TooManyRequests', `too many logins have failed: try again in ${seconds} s`, {
    headers: { 'Retry-After': String(seconds) },
  });

import type { Members } from '../../storage/members.js';
import { NOWHERE, type Place, type Sight } from '../model/sample.js';

/** A file on its way. */
export interface Transfer {
  direction: 'upload' | 'download';
  place: Place;
}

export interface Running {
  downloads: number;
  uploads: number;
}

const TRANSFERS = 'transfers';

/** In milliseconds: how often others are told, and for how long what was told counts. */
const EVERY = 5000;
const GOOD_FOR = 3 * EVERY;

/** In characters of JSON: what is told is small. */
const MOST = 4000;

type Told = Record<Place, Running>;

/** The files that are on their way at this moment, on all daemons: on others as they told some seconds ago. */
export class TransfersNow {
  readonly #running = new Set<() => Transfer | undefined>();
  readonly #elsewhere = new Map<string, { told: Told; at: number }>();
  readonly #unfollow: () => void;
  #hasTold = false;

  constructor(
    private readonly members: Members,
    private readonly clock = () => performance.now(),
  ) {
    this.#unfollow = members.hear(TRANSFERS, (told, from) => {
      this.#elsewhere.set(from, { told: told as Told, at: this.clock() });
    });
  }

  /** What it is, is asked when somebody wants to know. Returns the way to say that it has ended. */
  begin(what: () => Transfer | undefined): () => void {
    this.#running.add(what);
    return () => void this.#running.delete(what);
  }

  count(sees: Sight): Running {
    const sum: Running = { downloads: 0, uploads: 0 };
    for (const told of [this.#here(), ...this.#others()]) {
      for (const [place, { downloads, uploads }] of Object.entries(told)) {
        if (!sees(place)) continue;
        sum.downloads += downloads;
        sum.uploads += uploads;
      }
    }
    return sum;
  }

  /** Tells the others; nothing while there is nothing, but that there is nothing any more. */
  tell(): void {
    const here = this.#here();
    const isAnything = Object.keys(here).length > 0;
    if (isAnything || this.#hasTold) this.members.tell(TRANSFERS, short(here));
    this.#hasTold = isAnything;
  }

  /** Returns the way to stop. */
  keepTelling(): () => void {
    const timer = setInterval(() => this.tell(), EVERY).unref();
    return () => clearInterval(timer);
  }

  close(): void {
    this.#unfollow();
  }

  #here(): Told {
    // places are named by people: nothing else is in it
    const told: Told = Object.create(null);
    for (const what of this.#running) {
      const transfer = what();
      if (!transfer) continue;
      told[transfer.place] ??= { downloads: 0, uploads: 0 };
      told[transfer.place]![`${transfer.direction}s`] += 1;
    }
    return told;
  }

  #others(): Told[] {
    const since = this.clock() - GOOD_FOR;
    for (const [member, { at }] of this.#elsewhere) {
      if (at < since || !this.members.isIn(member)) this.#elsewhere.delete(member);
    }
    return Array.from(this.#elsewhere.values(), ({ told }) => told);
  }
}

/** Of very many places, operators have the sum. */
function short(told: Told): Told {
  if (JSON.stringify(told).length <= MOST) return told;
  const all = Object.values(told);
  const sum = (what: keyof Running) => all.reduce((total, running) => total + running[what], 0);
  return { [NOWHERE]: { downloads: sum('downloads'), uploads: sum('uploads') } };
}

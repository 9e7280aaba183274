/** Something that holds a number, which one client counts up and all may read. */
export type Register = string;

interface Write {
  register: Register;
  value: number;
  began: number;
  /** When it was acknowledged; absent where nobody knows what has become of it. */
  acknowledged?: number;
}

interface Read {
  register: Register;
  /** Absent where there was none. */
  value: number | undefined;
  began: number;
  ended: number;
  at: string;
}

/**
 * What clients have done and seen while things failed: each register is written by one client, with numbers that grow.
 * No read may show less than what was acknowledged before it began, or more than what was written before it ended.
 */
export class History {
  readonly #writes: Write[] = [];
  readonly #reads: Read[] = [];

  /** `write` resolves where it was acknowledged, and throws where its fate is unknown or it was refused. */
  async write(register: Register, value: number, write: () => Promise<void>): Promise<boolean> {
    const entry: Write = { register, value, began: performance.now() };
    this.#writes.push(entry);
    try {
      await write();
    } catch {
      return false;
    }
    entry.acknowledged = performance.now();
    return true;
  }

  /** Where `read` throws nothing was read. */
  async read(register: Register, at: string, read: () => Promise<number | undefined>): Promise<boolean> {
    const began = performance.now();
    try {
      const value = await read();
      this.#reads.push({ register, value, began, ended: performance.now(), at });
      return true;
    } catch {
      return false;
    }
  }

  get acknowledged(): number {
    return this.#writes.filter(({ acknowledged }) => acknowledged !== undefined).length;
  }

  get reads(): number {
    return this.#reads.length;
  }

  /** What can not have been, in words; nothing where all is well. */
  faults(): string[] {
    const byRegister = grouped(this.#writes);
    return this.#reads.flatMap(({ register, value, began, ended, at }) => {
      const writes = byRegister.get(register) ?? [];
      const least = Math.max(
        -1,
        ...writes.filter(({ acknowledged = Infinity }) => acknowledged < began).map((write) => write.value),
      );
      const most = Math.max(-1, ...writes.filter((write) => write.began < ended).map((write) => write.value));
      const seen = value ?? -1;
      if (seen >= least && seen <= most) return [];
      const when = `${Math.round(began)} to ${Math.round(ended)}`;
      return [`${at} gave ${value} of ${register} from ${when}: at least ${least}, at most ${most}`];
    });
  }
}

function grouped(writes: Write[]): Map<Register, Write[]> {
  const by = new Map<Register, Write[]>();
  for (const write of writes) {
    const own = by.get(write.register) ?? [];
    own.push(write);
    by.set(write.register, own);
  }
  return by;
}

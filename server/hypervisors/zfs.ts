import { setTimeout as pause } from 'node:timers/promises';
import type { NodePool } from '../model/node-status.js';
import { CommandFailed, type Host } from './host.js';
import { isSet, type Properties, parseBytes, parseEstimate, parseProperties, parseRows } from './parse-zfs.js';

/** As zfs takes them: what is named otherwise is not there, and nobody needs to be asked. */
const POOL = /^[A-Za-z][A-Za-z0-9_.: -]{0,199}$/;
const DATASET = /^[A-Za-z][A-Za-z0-9_.: -]*(\/[A-Za-z0-9_.: -]+)*$/;
// no percent sign: to `zfs destroy` it means all snapshots from one to another
const SNAPSHOT = /^[A-Za-z0-9_.: -]{1,200}$/;

export const isPool = (name: string) => POOL.test(name);
export const isDataset = (name: string) => name.length < 256 && DATASET.test(name);
export const isSnapshot = (name: string) => SNAPSHOT.test(name);

const ABSENT = /does not exist|no such (pool|dataset)/i;
/** Pools that can not be looked into. */
const BROKEN: ReadonlySet<string> = new Set(['FAULTED', 'UNAVAIL', 'REMOVED', 'SUSPENDED', 'OFFLINE']);
const MOST = 64 << 20;
/** Milliseconds between two looks at what is busy. */
const AGAIN = 200;
/** As many names as surely fit on a line of the shell. */
const AT_ONCE = 300;

export const isAbsent = (error: unknown): boolean => error instanceof CommandFailed && ABSENT.test(error.said);

const isBusy = (error: unknown): boolean => error instanceof CommandFailed && /is busy/i.test(error.said);

/** One line of `zfs list` of a filesystem or volume. */
export interface Dataset {
  name: string;
  /** The snapshot that it is a clone of. */
  origin?: string;
  isVolume: boolean;
}

/** The questions that connectors ask of `zfs` and `zpool`, in words that old and new ones understand. */
export class Zfs {
  constructor(readonly host: Host) {}

  async run(words: readonly string[], signal: AbortSignal): Promise<string> {
    return this.host.run(['zfs', ...words], { signal, most: MOST });
  }

  /** What is not there is left out. */
  async get(names: readonly string[], properties: readonly string[], signal: AbortSignal): Promise<Properties> {
    const found = new Map<string, ReadonlyMap<string, string>>();
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      for (const [name, values] of await this.#getSome(some, properties, signal)) found.set(name, values);
    }
    return found;
  }

  async #getSome(names: readonly string[], properties: readonly string[], signal: AbortSignal): Promise<Properties> {
    const words = ['get', '-Hp', '-o', 'name,property,value', properties.join(',')];
    try {
      return parseProperties(await this.run([...words, ...names], signal));
    } catch (error) {
      if (!isAbsent(error)) throw error;
      if (names.length === 1) return new Map();
      // one of them has gone: which of them, only asking each by itself tells
      const found: [string, ReadonlyMap<string, string>][] = [];
      for (const name of names) found.push(...(await this.#getSome([name], properties, signal)));
      return new Map(found);
    }
  }

  /** A dataset with its snapshots, and with what lies right below it. */
  async getBelow(dataset: string, properties: readonly string[], signal: AbortSignal): Promise<Properties> {
    const words = ['get', '-Hp', '-r', '-d', '1', '-o', 'name,property,value', properties.join(','), dataset];
    return parseProperties(await this.run(words, signal));
  }

  async poolNames(signal: AbortSignal): Promise<string[]> {
    return (await this.#pools(signal)).map(([name]) => name);
  }

  /** The room that there is for datasets, which is less than what `zpool` counts. */
  async pools(signal: AbortSignal): Promise<NodePool[]> {
    const pools = await this.#pools(signal);
    const whole = pools.filter(([, health]) => !BROKEN.has(health)).map(([name]) => name);
    const rooms = whole.length === 0 ? new Map() : await this.get(whole, ['used', 'available'], signal);
    return pools.map(([name, health]) => {
      const free = parseBytes(rooms.get(name)?.get('available')) ?? 0;
      return { name, size: free + (parseBytes(rooms.get(name)?.get('used')) ?? 0), free, health: health.toLowerCase() };
    });
  }

  async #pools(signal: AbortSignal): Promise<[name: string, health: string][]> {
    const printed = await this.host.run(['zpool', 'list', '-H', '-o', 'name,health'], { signal, most: 1 << 20 });
    return parseRows(printed, 2).map(([name, health]) => [name!, health!]);
  }

  /** All filesystems and volumes below these, with them, each with further properties as columns. */
  async list<K extends string>(
    roots: readonly string[],
    columns: readonly K[],
    signal: AbortSignal,
  ): Promise<(Dataset & Record<K, string>)[]> {
    if (roots.length === 0) return [];
    const all = ['-r', '-t', 'filesystem,volume'];
    const told = parseRows(await this.#listed([...all, ...roots], columns, signal), columns.length + 3);
    if (columns.length === 0) return told.map((row) => datasetOf(row, columns));
    // A value may hold a line break, and then anything: a machine that may set properties would speak for others.
    const names = parseRows(await this.#listed([...all, ...roots], [], signal), 3);
    const rows = isSameList(told, names) ? told : await this.#oneByOne(names, columns, signal);
    return rows.map((row) => datasetOf(row, columns));
  }

  #listed(words: readonly string[], columns: readonly string[], signal: AbortSignal): Promise<string> {
    return this.run(['list', '-H', '-o', ['name', 'type', 'origin', ...columns].join(','), ...words], signal);
  }

  /** What is more than a line has no properties. */
  async #oneByOne(names: readonly string[][], columns: readonly string[], signal: AbortSignal): Promise<string[][]> {
    const rows: string[][] = [];
    for (const own of names) {
      try {
        const [row = [], ...others] = (await this.#listed([own[0]!], columns, signal))
          .trimEnd()
          .split('\n')
          .map((line) => line.split('\t'));
        const isPlain = others.length === 0 && row.length === columns.length + 3;
        rows.push(isPlain ? row : [...own, ...columns.map(() => '-')]);
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    }
    return rows;
  }

  async has(name: string, signal: AbortSignal): Promise<boolean> {
    return (await this.get([name], ['type'], signal)).has(name);
  }

  /** Bytes of the stream, where the tool can tell without sending it. */
  async estimate(words: readonly string[], signal: AbortSignal): Promise<number | undefined> {
    try {
      // some print it on standard output, some on the other
      const line = ['sh', '-c', 'exec zfs send -nP "$@" 2>&1', 'sh', ...words] as const;
      return parseEstimate(await this.host.run(line, { signal, most: 1 << 20 }));
    } catch (error) {
      if (error instanceof CommandFailed) return undefined;
      throw error;
    }
  }

  /** A dataset with all that is in it; nothing where it is not there. */
  async destroy(dataset: string, signal: AbortSignal): Promise<void> {
    try {
      await this.run(['destroy', '-r', dataset], signal);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  /** What has come half, as far as it can be: a receiver that was killed has it for a moment longer. */
  async discard(dataset: string, signal: AbortSignal): Promise<void> {
    const isDone = () =>
      this.destroy(dataset, signal).then(
        () => true,
        (error: unknown) => !isBusy(error),
      );
    while (!(await isDone())) await pause(AGAIN);
  }
}

function datasetOf<K extends string>(
  [name, type, origin, ...values]: readonly string[],
  columns: readonly K[],
): Dataset & Record<K, string> {
  return {
    name: name!,
    isVolume: type === 'volume',
    ...(isSet(origin) && { origin }),
    ...(Object.fromEntries(columns.map((column, at) => [column, values[at]!])) as Record<K, string>),
  };
}

const isSameList = (one: readonly string[][], other: readonly string[][]) =>
  one.length === other.length && one.every(([name], at) => name === other[at]?.[0]);

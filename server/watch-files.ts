import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Below a directory that is watched: its entries, and those of its sub-directories. */
const DEPTH = 2;

/**
 * Calls back when one of these files or directories has changed and has come to rest since; a path that is missing, or
 * can not be read, is in a state like any other. Polls, because `fs.watch` misses symlinks that are swapped, and all of
 * a network filesystem. Returns the way to stop.
 */
export function watchFiles(paths: readonly string[], changed: () => void, interval = 1000): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const watch = new FileWatch(paths, () => {
    if (!stopped) changed();
  });
  const turn = async () => {
    await watch.poll();
    if (!stopped) timer = setTimeout(turn, interval).unref();
  };
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** What `watchFiles` does at each turn. The first poll only looks. */
export class FileWatch {
  readonly #paths: readonly string[];
  readonly #changed: () => void;
  #seen: string | undefined;
  #told: string | undefined;

  constructor(paths: readonly string[], changed: () => void) {
    this.#paths = paths;
    this.#changed = changed;
  }

  async poll(): Promise<void> {
    const before = this.#seen;
    const now = await stateOfAll(this.#paths, DEPTH);
    this.#seen = now;
    this.#told ??= now;
    if (now !== before || now === this.#told) return;
    this.#told = now;
    this.#changed();
  }
}

/** All that can be told of files without reading them. */
async function stateOfAll(paths: readonly string[], depth: number): Promise<string> {
  const states: string[] = [];
  for (const path of paths) states.push(`${path} ${await stateOf(path, depth)}`);
  return states.join('\n');
}

async function stateOf(path: string, depth: number): Promise<string> {
  try {
    const found = await stat(path, { bigint: true });
    const own = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
    if (!found.isDirectory() || depth === 0) return own;
    const names = (await readdir(path)).sort();
    const entries = names.map((name) => join(path, name));
    return `${own}\n${await stateOfAll(entries, depth - 1)}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

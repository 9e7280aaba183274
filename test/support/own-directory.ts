import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Store {
  close(): Promise<void>;
}

let scratch: string | undefined;
let made = 0;

/** A store in a directory of its own, which goes when it is closed, or with the process at the latest. */
export async function inOwnDirectory<S extends Store>(open: (directory: string) => Promise<S>): Promise<S> {
  if (scratch === undefined) {
    const own = mkdtempSync(join(tmpdir(), 'slipway-stores-'));
    process.once('exit', () => rmSync(own, { recursive: true, force: true }));
    scratch = own;
  }
  const directory = join(scratch, String(made++));
  mkdirSync(directory);
  return endingWith(await open(directory), async (close) => {
    await close();
    await rm(directory, { recursive: true, force: true });
  });
}

/** The store itself, since tests give some of its methods others; some close it, and their end does so once more. */
export function endingWith<S extends Store>(store: S, end: (close: () => Promise<void>) => Promise<void>): S {
  const close = store.close.bind(store);
  let ending: Promise<void> | undefined;
  return Object.assign(store, {
    close: () => {
      ending ??= end(close);
      return ending;
    },
  });
}

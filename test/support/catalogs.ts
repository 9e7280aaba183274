import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Choice, openPostgresCatalog } from '../../storage/catalog/postgres.js';
import type { Catalog, Kind } from '../../storage/catalog.js';
import { scratch } from './scratch.js';

export interface Note {
  id: string;
  name?: string;
  count?: number;
}

export const notes: Kind<Note> = {
  name: 'notes',
  id: ({ id }) => id,
  unique: ({ name }) => (name === undefined ? [] : [`name:${name}`]),
  index: ({ count }) => (count === undefined ? [] : [`count:${String(count).padStart(9, '0')}`]),
};

export interface Told {
  message: string;
  fields: Record<string, unknown>;
}

/** A catalog as a daemon would have it, and what it has said. */
export interface Opened {
  catalog: Catalog;
  log: Told[];
  /** The first time that it says so from now on, or said so before. */
  said(message: RegExp): Promise<Told>;
  insert(note: Note): Promise<void>;
  ids(): Promise<string[]>;
}

/** Fast enough for tests, and slow enough for a machine that is busy. */
export const LEASE = 4000;

/** One of several in this process that share a database, each with a replica of its own; closed when the test ends. */
export async function openShared(t: ExecutionContext, url: string, options: Partial<Choice> = {}): Promise<Opened> {
  const log: Told[] = [];
  const listeners = new Set<() => void>();
  const catalog = await openPostgresCatalog({
    url,
    replica: join(await scratch(t), 'replica'),
    member: { name: 'test', version: '0' },
    lease: LEASE,
    log: (_, message, fields = {}) => {
      log.push({ message, fields: fields as Record<string, unknown> });
      for (const listener of listeners) listener();
    },
    ...options,
  });
  t.teardown(() => catalog.close());
  return {
    catalog,
    log,
    said: (message) =>
      new Promise((resolve) => {
        const look = () => {
          const found = log.find((told) => message.test(told.message));
          if (!found) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      }),
    insert: (note) => catalog.write((tx) => tx.insert(notes, note)),
    ids: async () => {
      const found: string[] = [];
      for await (const { id } of catalog.list(notes)) found.push(id);
      return found;
    },
  };
}

/** Until it is so: looked at again and again, as nothing tells of it. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it has not come to it that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

import { randomUUID } from 'node:crypto';
import type { Members } from './members.js';

/** The only member of a catalog that nobody else can reach. */
export function onlyMember(name = 'slipway', version = ''): Members {
  const self = { id: randomUUID(), name, version, since: new Date().toISOString() };
  const turns = new Map<string, Promise<unknown>>();
  const alone = async <R>(name: string, work: () => Promise<R>): Promise<R> => {
    const before = turns.get(name);
    const turn = (before ?? Promise.resolve()).then(work);
    const ended = turn.catch(() => {}); // told to whoever asked for it
    turns.set(name, ended);
    try {
      return await turn;
    } finally {
      if (turns.get(name) === ended) turns.delete(name);
    }
  };
  return {
    self,
    only: true,
    all: () => [self],
    isIn: (id) => id === self.id,
    look: async () => {},
    isFirst: () => true,
    follow: () => () => {},
    tell: () => {},
    hear: () => () => {},
    alone,
    ifAlone: async (name, work) => (turns.has(name) ? undefined : alone(name, work)),
  };
}

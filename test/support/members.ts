import { randomUUID } from 'node:crypto';
import type { Catalog } from '../../storage/catalog.js';
import type { Member, Members } from '../../storage/members.js';
import { onlyMember } from '../../storage/only-member.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';

/** One of several that share a catalog, all of them in this process. */
export interface Sharing {
  catalog: Catalog;
  /** As the others see it when its lease is over; nothing of it comes through any more, not even that. */
  die(): void;
  /** Its lease was over for the others, and it is told so: it is another member from now on. */
  comeBack(): void;
}

interface Daemon {
  self: Member;
  isDead: boolean;
  followers: Set<() => void>;
  listeners: Map<string, Set<(message: unknown, from: string) => void>>;
}

const joining = (name: string): Member => ({
  id: randomUUID(),
  name,
  version: '1',
  since: new Date().toISOString(),
});

/** Daemons that share one catalog, and hear of each other within the process, whoever has joined first in front. */
export function sharing(catalog: Catalog, names: readonly string[]): Sharing[] {
  const { alone, ifAlone } = onlyMember();
  const daemons: Daemon[] = names.map((name) => ({
    self: joining(name),
    isDead: false,
    followers: new Set(),
    listeners: new Map(),
  }));
  const living = () => daemons.filter(({ isDead }) => !isDead);
  const tellAll = () => {
    for (const { followers } of living()) for (const follower of followers) follower();
  };
  return [...daemons].map((daemon) => {
    const others = () => living().filter((other) => other !== daemon);
    const members: Members = {
      get self() {
        return daemon.self;
      },
      all: () => living().map(({ self }) => self),
      isIn: (id) => living().some(({ self }) => self.id === id),
      look: async () => {},
      isFirst: () => living()[0] === daemon,
      follow: (follower) => {
        daemon.followers.add(follower);
        return () => void daemon.followers.delete(follower);
      },
      tell: (topic, message) => {
        if (daemon.isDead) return;
        const sent = JSON.stringify(message);
        for (const { listeners } of others()) {
          for (const listener of listeners.get(topic) ?? []) listener(JSON.parse(sent), daemon.self.id);
        }
      },
      hear: (topic, listener) => {
        const listeners = daemon.listeners.get(topic) ?? new Set();
        daemon.listeners.set(topic, listeners.add(listener));
        return () => void listeners.delete(listener);
      },
      alone,
      ifAlone,
    };
    return {
      catalog: wrappedCatalog(catalog, { members, current: () => !daemon.isDead }),
      die: () => {
        daemon.isDead = true;
        tellAll();
      },
      comeBack: () => {
        daemon.isDead = false;
        daemon.self = joining(daemon.self.name);
        daemons.push(...daemons.splice(daemons.indexOf(daemon), 1));
        tellAll();
      },
    };
  });
}

import type { Member, Members } from '../members.js';
import type { Follower } from './postgres-follower.js';
import type { Locks } from './postgres-locks.js';
import type { Listed } from './roster.js';

type Listener = (message: unknown, from: string) => void;
type Log = (level: 'info' | 'warn', message: string, fields?: object) => void;

interface Told {
  process: string;
  from: string;
  topic: string;
  message?: unknown;
}

/** What a notification carries at most is 8000 bytes. */
const longest = 7900;

/** Who shares the catalog, by the roster; what they tell each other goes by notifications. */
export function postgresMembers(follower: Follower, locks: Locks, log: Log): Members {
  const topics = new Map<string, Set<Listener>>();
  follower.listen('slipway_free', () => locks.wake());
  follower.listen('slipway_told', (payload) => {
    try {
      const { process, from, topic, message } = JSON.parse(payload) as Told;
      if (process === follower.self.process) return;
      for (const listener of topics.get(topic) ?? []) listener(message, from);
    } catch (err) {
      log('warn', 'what another daemon tells is not understood', { err }); // another version may say it otherwise
    }
  });
  return {
    get self() {
      return memberOf(follower.self);
    },
    all: () => follower.roster.all().map(memberOf),
    isIn: (id) => follower.roster.has(id),
    look: () => follower.ask(),
    isFirst: () => follower.lease.isGood() && follower.roster.all()[0]?.id === follower.self.id,
    follow: (call) => follower.follow(call),
    tell(topic, message) {
      const told: Told = { process: follower.self.process, from: follower.self.id, topic, message };
      const payload = JSON.stringify(told);
      if (Buffer.byteLength(payload) <= longest) follower.notify('slipway_told', payload);
      else log('warn', 'a message is too long to be told to the other daemons', { topic, length: payload.length });
    },
    hear(topic, listener) {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
      return () => void listeners.delete(listener);
    },
    alone: (name, work) => locks.alone(name, work),
    ifAlone: (name, work) => locks.ifAlone(name, work),
  };
}

const memberOf = ({ id, name, version, since }: Listed): Member => ({ id, name, version, since });

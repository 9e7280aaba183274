import type { Change, Kind } from '../catalog.js';
import type { Transaction } from './transaction.js';

/** What a write has changed, as it is told to followers: kind → id → record as JSON. */
export type Changed = Transaction['changed'];

type Follower = (changes: Iterable<[id: string, json: string | undefined]>) => void;

/** Who hears of committed changes, by kind. */
export class Followers {
  readonly #followers = new Map<string, Set<Follower>>();

  add<T>(kind: Kind<T>, follower: (changes: Change<T>[]) => void): () => void {
    const followers = this.#followers.get(kind.name) ?? new Set();
    this.#followers.set(kind.name, followers);
    const tell: Follower = (changes) =>
      follower(Array.from(changes, ([id, json]) => (json === undefined ? { id } : { id, record: JSON.parse(json) })));
    followers.add(tell);
    return () => void followers.delete(tell);
  }

  tell(changed: Changed): void {
    for (const [kind, records] of changed) {
      for (const follower of this.#followers.get(kind) ?? []) {
        try {
          follower(records);
        } catch (error) {
          // the write is on disk whatever a follower thinks of it; a follower that throws is a bug and shows as one
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    }
  }
}

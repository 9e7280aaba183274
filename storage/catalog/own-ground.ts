import type { Entry } from '../catalog.js';
import { onlyMember } from '../only-member.js';
import type { Database } from './database.js';
import type { Changed } from './followers.js';
import type { Committed, Ground, Standing } from './ground.js';
import { everything, recordKey } from './keys.js';
import type { Operation } from './overlay.js';
import { ResidentKeys } from './resident-keys.js';
import type { View } from './view.js';

const acknowledged: Committed = {};

/** A database of this daemon alone: what is synced there is committed. */
export class OwnGround implements Ground {
  readonly members = onlyMember();
  readonly longest = Number.POSITIVE_INFINITY;
  readonly #committed: ResidentKeys;
  #doubtful: Changed[] = [];

  constructor(
    readonly database: Database,
    private readonly standing: Standing,
  ) {
    this.#committed = new ResidentKeys(database);
  }

  current(): boolean {
    return true;
  }

  async begin(): Promise<View> {
    await this.database.revive();
    await this.#resolveDoubts();
    return this.#committed;
  }

  async commit(operations: Operation[], changes: Changed[]): Promise<Committed> {
    if (operations.length > 0) {
      try {
        await this.database.commit(operations);
        this.#committed.committed(operations);
      } catch (error) {
        this.#committed.forget();
        this.#doubtful.push(...changes);
        throw error;
      }
    }
    for (const changed of changes) this.standing.tell(changed);
    return acknowledged;
  }

  keepSnapshots(): void {}

  snapshotsElsewhere(): number {
    return 0;
  }

  stillHolds(): void {}

  async load(entries: AsyncIterable<Entry[]>): Promise<void> {
    for await (const found of this.database.scan(everything, 1)) {
      if (found.length > 0) throw new Error('a catalog that holds something already can not be loaded');
    }
    this.#committed.forget();
    for await (const page of entries) {
      await this.database.commit(page.map(([key, value]) => ({ type: 'put', key, value })));
    }
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** What a failed batch has touched is told again as it was found: the batch may have reached the disk after all. */
  async #resolveDoubts(): Promise<void> {
    if (this.#doubtful.length === 0) return;
    for (const changed of this.#doubtful) {
      for (const [kind, records] of changed) {
        const ids = [...records.keys()];
        const found = await this.database.getMany(ids.map((id) => recordKey(kind, id)));
        for (const [n, id] of ids.entries()) records.set(id, found[n]);
      }
    }
    for (const changed of this.#doubtful.splice(0)) this.standing.tell(changed);
  }
}

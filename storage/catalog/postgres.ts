import { randomUUID } from 'node:crypto';
import type { Catalog } from '../catalog.js';
import { InUse, StorageDown, Unusable } from '../errors.js';
import { GroupCatalog } from './group-catalog.js';
import { Connection, type Place, placesOf } from './postgres-connection.js';
import { Follower } from './postgres-follower.js';
import { PostgresGround } from './postgres-ground.js';
import { Locks } from './postgres-locks.js';
import { postgresMembers } from './postgres-members.js';
import { prepareSchema } from './postgres-schema.js';
import { Replica } from './replica.js';

export interface Choice {
  url: string;
  /** The directory of what this daemon reads from. */
  replica: string;
  member: { name: string; version: string };
  /** In milliseconds. */
  lease: number;
  log?: (level: 'info' | 'warn', message: string, fields?: object) => void;
  /** How many groups the log keeps for those who come back. */
  keep?: number;
}

/** The records that all daemons share: PostgreSQL has them, each daemon reads from a copy of its own. */
export async function openPostgresCatalog({ log = () => {}, keep = 10_000, ...choice }: Choice): Promise<Catalog> {
  const place: Place = {
    urls: placesOf(choice.url),
    silence: Math.max(choice.lease, 2000),
    idle: Math.max(choice.lease * 3, 15_000),
    patience: Math.max(choice.lease * 2, 4000),
    process: randomUUID(),
  };
  const replica = await Replica.open(choice.replica, place.process, (message, fields) => log('warn', message, fields));
  const opened: { ground?: PostgresGround } = {};
  try {
    // nobody is served yet, so a busy server may take its time
    await prepare({ ...place, silence: Math.max(place.silence, 10_000) });
    let follower: Follower | undefined;
    const catalog = new GroupCatalog(replica.database, (standing) => {
      follower = new Follower({
        ...choice,
        place,
        replica,
        keep,
        log,
        tell: standing.tell,
        touch: standing.touch,
        exclusively: (load) => ground.exclusively(load),
        snapshots: () => ground.snapshots,
        lapsed: () => ground.lapsed(),
      });
      const released = () => follower!.notify('slipway_free', '');
      const locks = new Locks(place, released);
      const ground = new PostgresGround(
        place,
        replica,
        follower,
        postgresMembers(follower, locks, log),
        locks,
        standing,
      );
      opened.ground = ground;
      return ground;
    });
    await follower!.start();
    return catalog;
  } catch (error) {
    await (opened.ground ?? replica).close();
    if ([InUse, StorageDown, Unusable].some((kind) => error instanceof kind)) throw error;
    throw new StorageDown('opening the catalog in PostgreSQL', error);
  }
}

async function prepare(place: Place): Promise<void> {
  const connection = await Connection.open(place, 'prepares');
  try {
    await prepareSchema(connection, place.patience * 4);
  } finally {
    await connection.end();
  }
}

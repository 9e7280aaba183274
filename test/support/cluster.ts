import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { startCeph } from './ceph.js';
import { type Daemon, type Options, startDaemon } from './daemon.js';
import { startPostgres } from './postgres.js';
import { environmentOf, type S3Account } from './s3-account.js';
import { scratch } from './scratch.js';
import { SuiteDatabases } from './suite-databases.js';

/**
 * Several daemons as processes, on one database of a real PostgreSQL and one bucket of a real S3 store, each with a DATA
 * of its own; gone when the test ends.
 *
 *     const { daemons: [a, b], start } = await startCluster(t, { daemons: 3 });
 *     await a.ask('POST', '/images', { body: sample('dc') });
 *     await a.kill('SIGKILL');
 *     const again = await start(0);                    // in the same DATA; start(2) would be one more
 *
 * What needs it is skipped without isMet['postgresql, to keep records'] and isMet['ceph, to keep bytes'].
 */
export interface Cluster {
  daemons: Daemon[];
  /** Of the administrator, on all of them. */
  token: string;
  /** Where the records are, with nothing in between. */
  database: string;
  /** Where the bytes are, with nothing in between. */
  store: S3Account & { bucket: string };
  /** Starts the one at this place, in the DATA that it had before if there was one. */
  start(place: number, options?: Options): Promise<Daemon>;
}

export interface ClusterOptions {
  /** How many; two unless told otherwise. */
  daemons?: number;
  /** In seconds; unless told otherwise so many that a machine that is busy loses none. */
  lease?: number;
  /** Settings of all. */
  config?: Record<string, unknown>;
  /** How the one at this place is started, unless as the others. */
  each?: (place: number) => Options;
  /** What stands between a daemon and an engine: the port to talk to instead of this one, on loopback. */
  between?: (place: number, engine: Engine, port: number) => Promise<number>;
  /** In place of those that all tests share: for tests that harm them. */
  postgres?: { url: string };
  ceph?: S3Account & { newBucket(): Promise<string> };
}

export type Engine = 'database' | 'store';

const PREFIX = 'images';

/** Such as a, b, c. */
export const memberName = (place: number) => String.fromCharCode('a'.charCodeAt(0) + place);

export async function startCluster(
  t: Pick<ExecutionContext, 'teardown'>,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const {
    daemons: count = 2,
    lease = 15,
    config = {},
    each = () => ({}),
    between = async (_, __, port) => port,
  } = options;
  const [postgres, ceph] = await Promise.all([options.postgres ?? startPostgres(), options.ceph ?? startCeph()]);
  const databases = new SuiteDatabases(postgres.url);
  await databases.prepare();
  const [database, bucket, directory] = await Promise.all([databases.take(), ceph.newBucket(), scratch(t)]);
  const secretsKey = join(directory, 'secrets-key');
  await writeFile(secretsKey, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const token = randomBytes(32).toString('hex');
  const ways = new Map<string, Promise<string>>();
  const way = (place: number, engine: Engine, address: string): Promise<string> => {
    const key = `${engine} of ${place}`;
    const known = ways.get(key) ?? around(address, (port) => between(place, engine, port));
    ways.set(key, known);
    return known;
  };

  const start = async (place: number, more: Options = {}): Promise<Daemon> => {
    const data = join(directory, memberName(place));
    await mkdir(data, { recursive: true, mode: 0o700 });
    await writeFile(join(data, 'admin-token'), `${token}\n`, { mode: 0o600 });
    const { config: own = {}, env, ...rest } = { ...each(place), ...more };
    if (typeof own === 'string') throw new TypeError('the configuration of a daemon in a cluster is an object');
    const settings = {
      database: await way(place, 'database', database),
      memberName: memberName(place),
      lease,
      store: `s3://${bucket}/${PREFIX}`,
      storeEndpoint: await way(place, 'store', ceph.endpoint),
      storeRegion: ceph.region,
      secretsKey,
      ...config,
      ...own,
    };
    const daemon = await startDaemon(t, {
      data,
      config: settings,
      env: { ...environmentOf(ceph), ...env },
      token,
      ...rest,
    });
    daemons[place] = daemon;
    return daemon;
  };

  const daemons: Daemon[] = [];
  // One behind another: the first makes what all need.
  for (let place = 0; place < count; place++) await start(place);
  const { endpoint, accessKey, secretKey, region } = ceph;
  return { daemons, token, database, store: { endpoint, accessKey, secretKey, region, bucket }, start };
}

async function around(address: string, portInstead: (port: number) => Promise<number>): Promise<string> {
  const url = new URL(address);
  url.port = String(await portInstead(Number(url.port)));
  return url.href.replace(/\/$/, '');
}

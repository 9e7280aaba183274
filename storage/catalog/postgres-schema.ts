import { randomUUID } from 'node:crypto';
import { Unusable } from '../errors.js';
import { begin, type Connection } from './postgres-connection.js';

/**
 * What the records stand in, version by version: a daemon makes good what is missing, and touches nothing that is newer.
 * Keys may be longer than what fits into an index, so their digests are what is unique.
 */
const versions: readonly string[] = [
  `CREATE TABLE slipway.cluster (
     id uuid NOT NULL, head bigint NOT NULL, last uuid NOT NULL, roster bigint NOT NULL DEFAULT 0,
     looked bigint NOT NULL DEFAULT 0
   ) WITH (fillfactor = 10);
   CREATE TABLE slipway.entries (key bytea NOT NULL, value text NOT NULL);
   CREATE UNIQUE INDEX entries_key ON slipway.entries (sha256(key));
   CREATE TABLE slipway.log (sequence bigint PRIMARY KEY, id uuid NOT NULL UNIQUE, body text);
   CREATE TABLE slipway.members (
     id uuid PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, process uuid NOT NULL, name text NOT NULL,
     version text NOT NULL, since text NOT NULL, beat bigint NOT NULL DEFAULT 0, taken bigint NOT NULL,
     snapshots integer NOT NULL DEFAULT 0
   ) WITH (fillfactor = 50);
   WITH first AS (INSERT INTO slipway.log VALUES (0, '00000000-0000-0000-0000-000000000000', '{"o":[],"c":[]}'))
   INSERT INTO slipway.cluster VALUES (':cluster', 0, '00000000-0000-0000-0000-000000000000')`,
];

/** Makes or completes the schema; whoever comes at the same time waits. Throws where a newer daemon has been here. */
export async function prepareSchema(connection: Connection, patience: number): Promise<void> {
  await connection.all(`${begin}; SELECT pg_advisory_xact_lock(hashtextextended('slipway schema', 0))`, patience);
  try {
    const [{ encoding } = {}] = await connection.all(`SELECT current_setting('server_encoding') AS encoding`);
    if (encoding !== 'UTF8') throw new Unusable(`the database keeps text as ${encoding}: it has to be made with UTF8`);
    const found = await versionIn(connection);
    refuseNewer(found);
    for (const version of versions.slice(found)) {
      await connection.all(version.replace(':cluster', randomUUID()), patience);
    }
    if (found < versions.length) await connection.all(`UPDATE slipway.version SET version = ${versions.length}`);
    await connection.all('COMMIT');
  } catch (error) {
    if (!connection.lost) await connection.all('ROLLBACK').catch(() => {}); // the first error says more
    throw error;
  }
}

export function refuseNewer(version: number): void {
  if (version <= versions.length) return;
  throw new Unusable(
    `the database holds records of version ${version}, and this daemon knows versions up to ${versions.length}: ` +
      'it is older than one that has been here',
  );
}

async function versionIn(connection: Connection): Promise<number> {
  const [{ table } = {}] = await connection.all(`SELECT to_regclass('slipway.version') AS table`);
  if (table === null) {
    await connection.all(
      `CREATE SCHEMA IF NOT EXISTS slipway;
       CREATE TABLE slipway.version (version integer NOT NULL);
       INSERT INTO slipway.version VALUES (0)`,
    );
  }
  const [{ version } = {}] = await connection.all('SELECT version FROM slipway.version');
  return Number(version);
}

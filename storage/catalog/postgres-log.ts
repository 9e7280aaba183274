import type { Changed } from './followers.js';
import { recordKey } from './keys.js';
import type { Operation } from './overlay.js';
import type { Connection, Query, Row } from './postgres-connection.js';

/** Somewhere in the log: so many groups of this cluster, of which the last was this one. */
export interface Position {
  cluster: string;
  sequence: number;
  group: string;
}

/** A group of writes as the log has it. One without a body stands for all that has been loaded at once. */
export interface Logged {
  sequence: number;
  group: string;
  body?: { operations: Operation[]; changes: Changed[] } | undefined;
}

type Body = NonNullable<Logged['body']>;

const pageSize = 50;
/** In characters: the others load anew what would be longer as a text of its own. */
const longest = 100 << 20;

/**
 * What lies behind a sequence, and what stands there, without its body: by that one sees whether the log is the one that
 * led there. As text, for where several statements go as one.
 */
export const readBehind = (sequence: number) =>
  `SELECT sequence, id, CASE WHEN sequence > ${sequence} THEN body END AS body FROM slipway.log
   WHERE sequence >= ${sequence} ORDER BY sequence LIMIT ${pageSize + 1}`;

export const isFull = (rows: readonly Logged[]) => rows.length > pageSize;

export function loggedOf(rows: Row[], behind: number): Logged[] {
  return rows.map(({ sequence, id, body }) => ({
    sequence: Number(sequence),
    group: String(id),
    body: Number(sequence) > behind && typeof body === 'string' ? unpacked(body) : undefined,
  }));
}

export async function readLog(connection: Connection, behind: number): Promise<Logged[]> {
  const query = {
    name: 'read-log',
    text: `SELECT sequence, id, CASE WHEN sequence > $1 THEN body END AS body FROM slipway.log
           WHERE sequence >= $1 ORDER BY sequence LIMIT ${pageSize + 1}`,
    values: [behind],
  };
  return loggedOf(await connection.all(query), behind);
}

/** A group into the log and the entries, in the transaction that has the head locked. */
export function append(process: string, { sequence, group, body }: Logged & { body: Body }): Query {
  const { operations } = body;
  const text = packed(body);
  const put = operations.filter((operation) => operation.type === 'put');
  const gone = operations.filter(({ type }) => type === 'del');
  return {
    name: 'append',
    text: `WITH put AS (
             INSERT INTO slipway.entries (key, value) SELECT * FROM unnest($4::bytea[], $5::text[])
             ON CONFLICT (sha256(key)) DO UPDATE SET value = excluded.value
           ), gone AS (
             DELETE FROM slipway.entries WHERE sha256(key) = ANY (ARRAY(SELECT sha256(k) FROM unnest($6::bytea[]) AS k))
           ), logged AS (
             INSERT INTO slipway.log (sequence, id, body) VALUES ($1::bigint, $2::uuid, $3)
           ), moved AS (
             UPDATE slipway.cluster SET head = $1::bigint, last = $2::uuid
           ) SELECT pg_notify('slipway_log', $7)`,
    values: [
      sequence,
      group,
      text.length > longest ? null : text,
      put.map(({ key }) => Buffer.from(key, 'latin1')),
      put.map(({ value }) => value),
      gone.map(({ key }) => Buffer.from(key, 'latin1')),
      `${process} ${sequence}`,
    ],
  };
}

/** Drops what all who are in have taken in, but keeps some for those who come back. */
export function trim(keep: number): Query {
  return {
    text: `DELETE FROM slipway.log WHERE sequence <= least(
             (SELECT head FROM slipway.cluster) - $1::bigint, (SELECT min(taken) FROM slipway.members))`,
    values: [Math.max(keep, 1)],
  };
}

// a record that was changed once in its group is told as it stands among the operations
const asThere = 0;

type Packed = {
  o: [key: string, value: string | null][];
  c: [kind: string, records: [id: string, json: string | null | typeof asThere][]][][];
};

function packed({ operations, changes }: Body): string {
  const values = new Map(operations.map((operation) => [operation.key, writtenBy(operation)]));
  const body: Packed = {
    o: [...values],
    c: changes.map((changed) =>
      Array.from(changed, ([kind, records]) => [
        kind,
        Array.from(records, ([id, json]) => {
          const value = json ?? null;
          return [id, values.get(recordKey(kind, id)) === value ? asThere : value];
        }),
      ]),
    ),
  };
  return JSON.stringify(body);
}

function unpacked(text: string): Body {
  const { o, c } = JSON.parse(text) as Packed;
  const values = new Map(o);
  return {
    operations: o.map(([key, value]) => (value === null ? { type: 'del', key } : { type: 'put', key, value })),
    changes: c.map(
      (changed) =>
        new Map(
          changed.map(([kind, records]) => [
            kind,
            new Map(
              records.map(([id, json]) => [
                id,
                (json === asThere ? values.get(recordKey(kind, id)) : json) ?? undefined,
              ]),
            ),
          ]),
        ),
    ),
  };
}

const writtenBy = (operation: Operation) => (operation.type === 'put' ? operation.value : null);

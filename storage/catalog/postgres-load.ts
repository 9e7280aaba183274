import { randomUUID } from 'node:crypto';
import type { Entry } from '../catalog.js';
import { StorageDown } from '../errors.js';
import { Connection, lockHead, type Place } from './postgres-connection.js';

/** Everything at once, in one transaction: what fails leaves nothing. */
export async function loadEntries(place: Place, entries: AsyncIterable<Entry[]>): Promise<void> {
  const connection = await Connection.open(place, 'loads', { idle_in_transaction_session_timeout: '0' }).catch(
    (error: unknown) => {
      throw new StorageDown('loading the catalog', error);
    },
  );
  try {
    await connection.all(lockHead, place.patience);
    const found = await connection.all('SELECT 1 FROM slipway.entries LIMIT 1');
    if (found.length > 0) throw new Error('a catalog that holds something already can not be loaded');
    for await (const page of entries) {
      const values = [page.map(([key]) => Buffer.from(key, 'latin1')), page.map(([, value]) => value)];
      const text = 'INSERT INTO slipway.entries (key, value) SELECT * FROM unnest($1::bytea[], $2::text[])';
      await connection.all({ name: 'load', text, values }, 60_000);
    }
    // a group without a body: whoever comes to it loads all there is
    await connection.all({
      text: `WITH moved AS (UPDATE slipway.cluster SET head = head + 1, last = $1 RETURNING head)
             INSERT INTO slipway.log (sequence, id) SELECT head, $1 FROM moved`,
      values: [randomUUID()],
    });
    await connection.all(`NOTIFY slipway_log; COMMIT`, 60_000);
  } finally {
    await connection.end();
  }
}

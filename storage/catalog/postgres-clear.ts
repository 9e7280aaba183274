import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { StorageDown } from '../errors.js';
import { Connection, placesOf } from './postgres-connection.js';

const PATIENCE = 30_000;

/** All records are gone, and what this daemon had of them. Nobody may have them open. */
export async function clearPostgres({ url, replica }: { url: string; replica: string }): Promise<void> {
  const place = { urls: placesOf(url), silence: PATIENCE, patience: PATIENCE, idle: PATIENCE, process: randomUUID() };
  try {
    const connection = await Connection.open(place, 'clears');
    try {
      await connection.all('DROP SCHEMA IF EXISTS slipway CASCADE', PATIENCE);
    } finally {
      await connection.end();
    }
    await rm(replica, { recursive: true, force: true });
  } catch (error) {
    throw new StorageDown('clearing the database', error);
  }
}

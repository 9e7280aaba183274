import { randomBytes } from 'node:crypto';
import { ask } from './postgres.js';

/**
 * Databases of one PostgreSQL, which the tests of all processes use in turn: to empty one takes a fraction of the time
 * that it takes to make one. Those of a process that dies are not used again.
 */
export class SuiteDatabases {
  constructor(private readonly url: string) {}

  /** Before the first is taken. */
  async prepare(): Promise<void> {
    // of two that look at once both would make it
    const make = 'CREATE TABLE IF NOT EXISTS free_databases (name text PRIMARY KEY)';
    await ask(this.url, `SELECT pg_advisory_xact_lock(1); ${make}`);
  }

  /** The URL of one that is empty. */
  async take(): Promise<string> {
    const free = 'SELECT name FROM free_databases LIMIT 1 FOR UPDATE SKIP LOCKED';
    const [taken] = await ask(this.url, `DELETE FROM free_databases WHERE name = (${free}) RETURNING name`);
    if (taken) return this.#urlOf(`${taken.name}`);
    const name = `test_${randomBytes(8).toString('hex')}`;
    await ask(this.url, `CREATE DATABASE ${name} TEMPLATE template0`);
    return this.#urlOf(name);
  }

  async giveBack(url: string): Promise<void> {
    await ask(url, 'DROP SCHEMA IF EXISTS slipway CASCADE');
    const name = new URL(url).pathname.slice(1);
    await ask(this.url, `INSERT INTO free_databases VALUES ('${name}')`);
  }

  #urlOf(name: string): string {
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }
}

import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/**
 * Databases of one PostgreSQL, which the tests of all processes use in turn: to empty one takes a fraction of the time
 * that it takes to make one. Those of a process that dies are not used again.
 */
export class SuiteDatabases {
  constructor(private readonly url: string) {}

  /** Before the first is taken. */
  async prepare(): Promise<void> {
    await this.#ask(this.url, 'create table if not exists free_databases (name text primary key)');
  }

  /** The URL of one that is empty. */
  async take(): Promise<string> {
    const free = 'select name from free_databases limit 1 for update skip locked';
    const [taken] = await this.#ask(this.url, `delete from free_databases where name = (${free}) returning name`);
    if (taken) return this.#urlOf(String(taken['name']));
    const name = `test_${randomBytes(8).toString('hex')}`;
    await this.#ask(this.url, `create database ${name}`);
    return this.#urlOf(name);
  }

  async giveBack(url: string): Promise<void> {
    await this.#ask(url, 'drop schema public cascade; create schema public');
    const name = new URL(url).pathname.slice(1);
    await this.#ask(this.url, `insert into free_databases values ('${name}')`);
  }

  #urlOf(name: string): string {
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  async #ask(url: string, question: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(question)).rows ?? [];
    } finally {
      await client.end();
    }
  }
}

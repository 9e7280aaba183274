import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from '../support/catalogs.js';
import { configFile, launch } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { needsPostgres, startOwnPostgres } from '../support/postgres.js';
import { scratch } from '../support/scratch.js';

const needed = isMet[needsPostgres];
const testHere = needed ? test : test.skip;
const title = (what: string) => (needed ? what : `${what} (needs ${needsPostgres})`);

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';
const credentials = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };

async function started(t: ExecutionContext, database: string) {
  const directory = await scratch(t);
  const secretsKey = join(directory, 'secrets-key');
  await writeFile(secretsKey, randomBytes(32).toString('base64'), { mode: 0o600 });
  const config = { database, secretsKey, store: 's3://bucket', storeEndpoint: NOWHERE, port: 0 };
  const args = ['--config', await configFile(t, config), '--data', join(directory, 'data')];
  return launch(t, args, credentials);
}

testHere(title('a daemon waits for its engines, says for which and why, and stops meanwhile'), async (t) => {
  const postgres = await startOwnPostgres(t);
  await postgres.stop();
  const daemon = await started(t, postgres.url);
  const { reason } = await daemon.logged('waiting for the database');
  t.regex(`${reason}`, /ECONNREFUSED/);
  await postgres.start();
  t.regex(`${(await daemon.logged('waiting for the store')).reason}`, /ECONNREFUSED/);
  const { code, stdout, stderr } = await daemon.kill('SIGTERM');
  t.is(code, 0, stderr);
  t.regex(stdout, /Stopped while waiting for the store/);
  t.is(stderr.match(/waiting for the store/g)?.length, 1, 'it says so once');
});

testHere(
  title('who may not come in, or to a database that is not there, is told at once, without the password'),
  async (t) => {
    const postgres = await startOwnPostgres(t);
    await postgres.query(`CREATE ROLE ada LOGIN PASSWORD 'right'`);
    const rules = join(postgres.directory, 'data', 'pg_hba.conf');
    const before = await readFile(rules, 'utf8');
    await writeFile(rules, `host all ada 127.0.0.1/32 scram-sha-256\n${before}`);
    const loaded = async () => String((await postgres.query('SELECT pg_conf_load_time()::text AS at'))[0]?.at);
    const first = await loaded();
    await postgres.query('SELECT pg_reload_conf()');
    await until(async () => (await loaded()) !== first, 'the rules are in force');
    const address = `127.0.0.1:${postgres.port}`;
    const refused: [url: string, told: RegExp][] = [
      [
        `postgres://ada:wr0ng@${address}/postgres`,
        /^slipway: .*password authentication failed.*: the password is not the/,
      ],
      [
        `postgres://slipway@${address}/nothing`,
        /^slipway: .*"nothing" does not exist: create it first, with "createdb"/,
      ],
    ];
    for (const [url, told] of refused) {
      const { code, stderr } = await (await started(t, url)).exited;
      t.is(code, 1, stderr);
      t.regex(stderr, told);
      t.notRegex(stderr, /wr0ng|\n {4}at /);
    }
  },
);

testHere(title('a daemon that is older than what it finds does not start, and changes nothing'), async (t) => {
  const postgres = await startOwnPostgres(t);
  const first = await started(t, postgres.url);
  await first.logged('waiting for the store');
  await first.kill('SIGTERM');
  await postgres.query('UPDATE slipway.version SET version = 99');
  const { code, stderr } = await (await started(t, postgres.url)).exited;
  t.is(code, 1, stderr);
  t.regex(stderr, /^slipway: .*the database holds records of version 99/);
  t.notRegex(stderr, /\n {4}at /);
  t.deepEqual(await postgres.query('SELECT version FROM slipway.version'), [{ version: 99 }]);
});

import { startOwnCeph } from './ceph.js';
import { isMet } from './needs.js';
import { startOwnPostgres } from './postgres.js';
import { SuiteDatabases } from './suite-databases.js';

/**
 * A program: PostgreSQL and an S3 store for all processes of a run of tests. It says in one line of JSON what is to be
 * in their environment, or what is missing here, and keeps both until its standard input ends.
 */
const needs = ['postgresql, to keep records', 'ceph, to keep bytes'] as const;

const missing = needs.filter((need) => !isMet[need]);
if (missing.length > 0) {
  tell({ missing: missing.join('; ') });
} else {
  // What would look after dozens of small databases all the time takes more than the tests do.
  const settings = { autovacuum: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: '0' };
  const [postgres, ceph] = await Promise.all([startOwnPostgres(undefined, { settings }), startOwnCeph()]);
  await new SuiteDatabases(postgres.url).prepare();
  const { endpoint, accessKey, secretKey, region } = ceph;
  tell({
    env: {
      SLIPWAY_TEST_POSTGRES: postgres.url,
      SLIPWAY_TEST_CEPH: JSON.stringify({ endpoint, accessKey, secretKey, region }),
    },
  });
  for await (const _ of process.stdin);
}
process.exit();

function tell(what: object): void {
  console.log(JSON.stringify(what));
}

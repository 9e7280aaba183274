import test, { type ExecutionContext } from 'ava';
import { openS3Blobs } from '../../storage/blobs/s3.js';
import { holdingsContract, type OpenedStores } from '../contracts/holdings.js';
import { openShared } from '../support/catalogs.js';
import { needsCeph, startCeph } from '../support/ceph.js';
import { isMet } from '../support/needs.js';
import { needsPostgres, startPostgres } from '../support/postgres.js';
import { choiceIn } from '../support/s3-account.js';

/** A lease that nobody loses here. */
const lease = 20_000;

/** Two daemons on one database and one bucket. */
async function open(t: ExecutionContext): Promise<OpenedStores> {
  t.timeout(120_000);
  const [postgres, ceph] = await Promise.all([startPostgres(), startCeph()]);
  const [url, bucket] = await Promise.all([postgres.newDatabase(), ceph.newBucket()]);
  const daemons = await Promise.all(
    [1, 2].map(async () => {
      const { catalog } = await openShared(t, url, { lease });
      return { catalog, blobs: await openS3Blobs(choiceIn(ceph, bucket)) };
    }),
  );
  const close = async () => void (await Promise.all(daemons.map(({ blobs }) => blobs.close())));
  const [one, other] = daemons;
  return { ...one!, other: other!, close };
}

const missing = ([needsPostgres, needsCeph] as const).find((need) => !isMet[need]);
if (missing === undefined) holdingsContract('two daemons on PostgreSQL and S3', open);
else test.skip(`two daemons on PostgreSQL and S3: the contract of holdings (needs ${missing})`, () => {});

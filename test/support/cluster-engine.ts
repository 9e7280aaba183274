import type { BlobStore } from '../../storage/blobs.js';
import { openBlobs, openCatalog } from '../../storage/open.js';
import { startCeph } from './ceph.js';
import type { TestEngine } from './engines.js';
import { endingWith, inOwnDirectory } from './own-directory.js';
import { startPostgres } from './postgres.js';
import { environmentOf } from './s3-account.js';
import { SuiteDatabases } from './suite-databases.js';

/** So long that no test loses it while the machine is busy. */
const LEASE = 60_000;
const MEMBER = { name: 'test', version: '0.0.0-test' };

/** The SDK tells each process which versions of Node it is going to leave. */
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/** Each catalog has a database of its own, each store of bytes a prefix in the bucket of this process. */
export async function openClusterEngine(): Promise<TestEngine> {
  const [postgres, ceph] = await Promise.all([startPostgres(), startCeph()]);
  Object.assign(process.env, environmentOf(ceph), quiet);
  const databases = new SuiteDatabases(postgres.url);
  await databases.prepare();
  const { endpoint, region } = ceph;
  const place = { bucket: await ceph.newBucket(), endpoint, region, pathStyle: true, owner: MEMBER.name };
  let prefixes = 0;
  return {
    catalog: async () => {
      const url = await databases.take();
      const choice = { kind: 'postgres' as const, url, member: MEMBER, lease: LEASE };
      const catalog = await inOwnDirectory((replica) => openCatalog({ ...choice, replica }));
      return endingWith(catalog, async (close) => {
        await close();
        await databases.giveBack(url);
      });
    },
    blobs: async () => {
      const blobs = await openBlobs({ kind: 's3', ...place, prefix: `${prefixes++}` });
      return emptiedAtEnd(blobs);
    },
  };
}

/** What tests leave would fill the memory that their S3 store keeps it in. */
function emptiedAtEnd(blobs: BlobStore): BlobStore {
  const list = blobs.list.bind(blobs);
  const remove = blobs.delete.bind(blobs);
  return endingWith(blobs, async (close) => {
    for await (const { key } of list()) await remove(key);
    await close();
  });
}

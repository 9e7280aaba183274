import test from 'ava';
import { openS3Blobs, type S3Choice } from '../../storage/blobs/s3.js';
import { blobsContract } from '../contracts/blobs.js';
import { type Ceph, needsCeph, startCeph } from '../support/ceph.js';
import { isMet } from '../support/needs.js';
import { choiceIn } from '../support/s3-account.js';

if (isMet[needsCeph]) {
  blobsContract('s3 on ceph', async () => {
    const blobs = await openS3Blobs(await choice());
    return { blobs, close: () => blobs.close() };
  });
} else {
  test.skip(`s3 on ceph: the contract of blobs (needs ${needsCeph})`, () => {});
}

const choice = async (more: Partial<S3Choice> = {}) => {
  const ceph: Ceph = await startCeph();
  return { ...choiceIn(ceph, await ceph.newBucket()), ...more };
};

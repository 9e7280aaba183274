import test from 'ava';
import { openS3Blobs } from '../../storage/blobs/s3.js';
import { blobsContract } from '../contracts/blobs.js';
import { isMet } from '../support/needs.js';
import { choiceIn } from '../support/s3-account.js';
import { needsSwift, startSwift } from '../support/swift.js';

if (isMet[needsSwift]) {
  blobsContract('s3 on swift', async () => {
    const swift = await startSwift();
    const blobs = await openS3Blobs(choiceIn(swift, await swift.newBucket()));
    return { blobs, close: () => blobs.close() };
  });
} else {
  test.skip(`s3 on swift: the contract of blobs (needs ${needsSwift})`, () => {});
}

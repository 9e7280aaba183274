import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Choice } from '../../storage/blobs/s3.js';

/** What a client of an S3 store needs to be let in. */
export interface S3Account {
  endpoint: string;
  accessKey: string;
  secretKey: string;
  region: string;
}

/** As the usual chain of credentials finds it. */
export const environmentOf = ({ accessKey, secretKey }: S3Account) => ({
  AWS_ACCESS_KEY_ID: accessKey,
  AWS_SECRET_ACCESS_KEY: secretKey,
});

/** A client of a test's own, beside ours. */
export function s3ClientOf({ endpoint, accessKey, secretKey, region }: S3Account): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

export async function makeBucket(account: S3Account): Promise<string> {
  const Bucket = `slipway-${randomBytes(6).toString('hex')}`;
  const client = s3ClientOf(account);
  try {
    await client.send(new CreateBucketCommand({ Bucket }));
  } finally {
    client.destroy();
  }
  return Bucket;
}

/** For a store of ours. */
export function choiceIn({ endpoint, accessKey, secretKey, region }: S3Account, bucket: string): S3Choice {
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  return { bucket, prefix: 'images', endpoint, region, pathStyle: true, owner: 'tests', credentials };
}

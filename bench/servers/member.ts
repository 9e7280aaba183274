import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSecretsKey } from '../../server/sealing/make-secrets-key.js';
import type { S3Account } from '../../test/support/s3-account.js';
import type { Bench } from '../part.js';
import { type Server, startServer } from './server.js';

/** What the daemons of a cluster share. */
export interface Shared {
  /** The URL of a database. */
  database: string;
  bucket: string;
  account: S3Account;
  /** The file that holds it. */
  secretsKey: string;
}

export interface Member extends Server {
  data: string;
}

const main = fileURLToPath(new URL('../../server/main.js', import.meta.url));

export async function newSecretsKey({ directory }: Bench): Promise<string> {
  const path = join(directory, 'secrets-key');
  await makeSecretsKey(path);
  return path;
}

/** A daemon of a cluster, as it is installed, with its log and its metrics. */
export async function startMember(bench: Bench, name: string, shared: Shared, ...args: string[]): Promise<Member> {
  const { database, bucket, account, secretsKey } = shared;
  const data = join(bench.directory, name);
  const settings = {
    ...{ port: '0', data, database, 'member-name': name, 'secrets-key': secretsKey },
    ...{ store: `s3://${bucket}/bench`, 'store-endpoint': account.endpoint, 'store-region': account.region },
  };
  const flags = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]);
  // Where a daemon looks for them by itself: not among its flags, which everybody sees.
  const env = { AWS_ACCESS_KEY_ID: account.accessKey, AWS_SECRET_ACCESS_KEY: account.secretKey };
  const server = await startServer(bench, { name, command: process.execPath, args: [main, ...flags, ...args], env });
  return { ...server, data };
}

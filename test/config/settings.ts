import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ConfigError, readConfig } from '../../server/config/read-config.js';
import type { Settings } from '../../server/config/settings.js';
import { scratch } from '../support/scratch.js';

/** Written down once more: a default that changes is a change for everybody. */
export const defaults: Settings = {
  address: '127.0.0.1',
  port: 8080,
  publicUrl: undefined,
  serverName: undefined,
  sendfile: true,
  data: resolve('data'),
  dropFolder: undefined,
  channels: [],
  datacenters: {},
  insecureRegistries: [],
  lxdRegistries: {
    images: 'https://images.linuxcontainers.org',
    ubuntu: 'https://cloud-images.ubuntu.com/releases',
  },
  secretsKey: undefined,
  blobGrace: 3600,
  uploadLifetime: 86_400,
  auditDays: 0,
  auditWebhook: undefined,
  inventoryEvery: 300,
  database: undefined,
  memberName: undefined,
  lease: 5,
  store: undefined,
  storeEndpoint: undefined,
  storeRegion: undefined,
  storeClass: undefined,
  storeEncryption: undefined,
  storePathStyle: true,
  storeCache: 0,
  storeCacheDirectory: undefined,
  mode: 'dc',
  authType: 'signature',
  authKeys: {},
  trustedNetworks: [],
  trustedProxies: [],
  certificateHeader: undefined,
  hostNames: [],
  allowedAddresses: [],
  allowedHosts: [],
  sessionLifetime: 43_200,
  openidIssuer: undefined,
  openidClient: undefined,
  openidSecret: undefined,
  openidScopes: ['openid', 'profile', 'email'],
  openidName: 'preferred_username',
  openidGroups: 'groups',
  openidGroupMap: {},
  openidCreates: false,
  openidBinds: false,
  openidLabel: 'Sign in with OpenID Connect',
  tlsPort: 8443,
  tlsCertificate: undefined,
  tlsKey: undefined,
  tlsSelfSigned: false,
  tlsMinVersion: 'TLSv1.2',
  tlsClientCertificates: true,
  importsAtOnce: 4,
  importBandwidth: 0,
  snapshotsAtOnce: 4,
  snapshotSilence: 300,
  zstdImages: false,
  maxFileSize: 21_474_836_480,
  maxIconSize: 131_072,
  maxBodySize: 1_048_576,
  maxConnections: 0,
  requestsPerMinute: 0,
  headerTimeout: 60,
  idleTimeout: 120,
  shutdownGrace: 30,
  metricsAddress: '127.0.0.1',
  metricsPort: 'off',
  logLevel: 'info',
};

/** A file with this content; an object is written as JSON. */
export async function file(t: ExecutionContext, content: string | object, name = 'config'): Promise<string> {
  const path = join(await scratch(t), name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}

export const read = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) => readConfig(argv, env).settings;

export const readFrom = async (t: ExecutionContext, content: string | object, name?: string) =>
  readConfig(['--config', await file(t, content, name)], {});

/** All that is wrong with this start; fails where nothing is. */
export function problemsOf(t: ExecutionContext, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const error = t.throws(() => readConfig(argv, env), { instanceOf: ConfigError }, argv.join(' '));
  return [...(error?.problems ?? [])];
}

export const problemsIn = async (t: ExecutionContext, content: string | object, name?: string) =>
  problemsOf(t, ['--config', await file(t, content, name)]);

import { resolve } from 'node:path';
import test from 'ava';
import { type Settings, settings } from '../../server/config/settings.js';
import { table } from '../support/table.js';
import { defaults, file, problemsIn, problemsOf, read } from './settings.js';

/** Every key as text, as flags and variables have it, and as a file has it. */
const spelled: { [Key in keyof Settings]: { text: string; value: unknown; read: Settings[Key] } } = {
  address: { text: '::1', value: '::1', read: '::1' },
  port: { text: '0', value: 0, read: 0 },
  publicUrl: { text: 'https://i.example/base/', value: 'https://i.example/base', read: 'https://i.example/base' },
  serverName: { text: 'a server', value: 'a server', read: 'a server' },
  sendfile: { text: 'false', value: false, read: false },
  data: { text: 'some/where', value: 'some/where', read: resolve('some/where') },
  dropFolder: { text: '/srv/drop', value: '/srv/drop', read: '/srv/drop' },
  channels: {
    text: '[{"name":"dev","description":"d","default":true},{"name":"x"}]',
    value: [{ name: 'dev', description: 'd', default: true }, { name: 'x' }],
    read: [
      { name: 'dev', description: 'd', default: true },
      { name: 'x', description: '' },
    ],
  },
  datacenters: {
    text: '{"east":"https://imgapi.east.example/"}',
    value: { east: 'https://imgapi.east.example/' },
    read: { east: 'https://imgapi.east.example' },
  },
  insecureRegistries: {
    text: 'one.example:5000,two',
    value: ['one.example:5000', 'two'],
    read: ['one.example:5000', 'two'],
  },
  lxdRegistries: {
    text: '{"own":"https://lxd.example/"}',
    value: { own: 'https://lxd.example/' },
    read: { own: 'https://lxd.example' },
  },
  secretsKey: { text: 'env:KEY', value: 'env:KEY', read: 'env:KEY' },
  blobGrace: { text: '0', value: 0, read: 0 },
  uploadLifetime: { text: '3600', value: 3600, read: 3600 },
  auditDays: { text: '90', value: 90, read: 90 },
  auditWebhook: { text: 'https://k.example/h?t=1', value: 'https://k.example/h?t=1', read: 'https://k.example/h?t=1' },
  inventoryEvery: { text: '0', value: 0, read: 0 },
  database: { text: 'postgres://h/d', value: 'postgres://h/d', read: 'postgres://h/d' },
  memberName: { text: 'east-1', value: 'east-1', read: 'east-1' },
  lease: { text: '9', value: 9, read: 9 },
  store: { text: 's3://bucket/a/b/', value: 's3://bucket/a/b', read: 's3://bucket/a/b' },
  storeEndpoint: { text: 'http://127.0.0.1:7480', value: 'http://127.0.0.1:7480', read: 'http://127.0.0.1:7480' },
  storeRegion: { text: 'eu-central-1', value: 'eu-central-1', read: 'eu-central-1' },
  storeClass: { text: 'COLD', value: 'COLD', read: 'COLD' },
  storeEncryption: { text: 'aws:kms:k/1', value: 'aws:kms:k/1', read: 'aws:kms:k/1' },
  storePathStyle: { text: 'false', value: false, read: false },
  storeCache: { text: '1048576', value: 1_048_576, read: 1_048_576 },
  storeCacheDirectory: { text: '/var/cache/s', value: '/var/cache/s', read: '/var/cache/s' },
  mode: { text: 'private', value: 'private', read: 'private' },
  authType: { text: 'none', value: 'none', read: 'none' },
  authKeys: {
    text: '{"ada":"k","bob":["l","m"]}',
    value: { ada: 'k', bob: ['l', 'm'] },
    read: { ada: ['k'], bob: ['l', 'm'] },
  },
  trustedNetworks: {
    text: '10.0.0.0/8, fd00::/8',
    value: ['10.0.0.0/8', 'fd00::/8'],
    read: ['10.0.0.0/8', 'fd00::/8'],
  },
  trustedProxies: { text: '127.0.0.1', value: ['127.0.0.1'], read: ['127.0.0.1'] },
  certificateHeader: { text: 'X-Client-Cert', value: 'X-Client-Cert', read: 'x-client-cert' },
  hostNames: { text: 'images.example,*', value: ['images.example', '*'], read: ['images.example', '*'] },
  allowedAddresses: {
    text: '10.1.0.0/16,fd00::/8',
    value: ['10.1.0.0/16', 'fd00::/8'],
    read: ['10.1.0.0/16', 'fd00::/8'],
  },
  allowedHosts: { text: 'a.example.com,*', value: ['a.example.com', '*'], read: ['a.example.com', '*'] },
  sessionLifetime: { text: '60', value: 60, read: 60 },
  openidIssuer: { text: 'https://i.example/a/', value: 'https://i.example/a/', read: 'https://i.example/a/' },
  openidClient: { text: 'slipway', value: 'slipway', read: 'slipway' },
  openidSecret: { text: 'env:SECRET', value: 'env:SECRET', read: 'env:SECRET' },
  openidScopes: { text: 'openid, groups', value: ['openid', 'groups'], read: ['openid', 'groups'] },
  openidName: { text: 'email', value: 'email', read: 'email' },
  openidGroups: { text: 'realm_access.roles', value: 'realm_access.roles', read: 'realm_access.roles' },
  openidGroupMap: {
    text: '{"ops":"east","dev":["west","north"]}',
    value: { ops: 'east', dev: ['west', 'north'] },
    read: { ops: ['east'], dev: ['west', 'north'] },
  },
  openidCreates: { text: 'true', value: true, read: true },
  openidBinds: { text: 'true', value: true, read: true },
  openidLabel: { text: 'With our account', value: 'With our account', read: 'With our account' },
  tlsPort: { text: 'off', value: 'off', read: 'off' },
  tlsCertificate: { text: 'c.pem', value: 'c.pem', read: 'c.pem' },
  tlsKey: { text: 'k.pem', value: 'k.pem', read: 'k.pem' },
  tlsSelfSigned: { text: 'true', value: true, read: true },
  tlsMinVersion: { text: 'TLSv1.3', value: 'TLSv1.3', read: 'TLSv1.3' },
  tlsClientCertificates: { text: 'false', value: false, read: false },
  importsAtOnce: { text: '9', value: 9, read: 9 },
  importBandwidth: { text: '1000000', value: 1_000_000, read: 1_000_000 },
  snapshotsAtOnce: { text: '9', value: 9, read: 9 },
  snapshotSilence: { text: '60', value: 60, read: 60 },
  zstdImages: { text: 'true', value: true, read: true },
  maxFileSize: { text: '1', value: 1, read: 1 },
  maxIconSize: { text: '4096', value: 4096, read: 4096 },
  maxBodySize: { text: '67108864', value: 67_108_864, read: 67_108_864 },
  maxConnections: { text: '9', value: 9, read: 9 },
  requestsPerMinute: { text: '9', value: 9, read: 9 },
  headerTimeout: { text: '1', value: 1, read: 1 },
  idleTimeout: { text: '86400', value: 86_400, read: 86_400 },
  shutdownGrace: { text: '7', value: 7, read: 7 },
  metricsAddress: { text: '0.0.0.0', value: '0.0.0.0', read: '0.0.0.0' },
  metricsPort: { text: '9100', value: 9100, read: 9100 },
  logLevel: { text: 'silent', value: 'silent', read: 'silent' },
};

const kebab = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const variable = (key: string) => `SLIPWAY_${kebab(key).replaceAll('-', '_').toUpperCase()}`;

test('every setting is in the table', (t) => {
  t.deepEqual(Object.keys(spelled), Object.keys(settings));
  t.deepEqual(Object.keys(defaults), Object.keys(settings));
});

/** These need others beside them: check.test.ts has them. */
const together = ['tlsCertificate', 'tlsKey', 'database', 'openidIssuer', 'openidSecret'];
const alone = Object.entries(spelled).filter(([key]) => !together.includes(key));

for (const [key, { text, value, read: expected }] of alone) {
  test(`${key}: as two flags, as ${variable(key)}, in TOML and in JSON`, async (t) => {
    const all = { ...defaults, [key]: expected };
    const isSwitch = typeof expected === 'boolean';
    const toml = `${key} = ${JSON.stringify(value).replaceAll(/"(\w+)":/g, '$1 =')}`;
    for (const flag of [`--${key}`, `--${kebab(key)}`]) {
      t.deepEqual(read(isSwitch ? [flag] : [flag, text]), isSwitch ? { ...defaults, [key]: true } : all);
      t.deepEqual(read([`${flag}=${text}`]), all);
    }
    t.deepEqual(read([], { [variable(key)]: text }), all);
    t.deepEqual(read(['--config', await file(t, toml)]), all);
    t.deepEqual(read(['--config', await file(t, ` \n${JSON.stringify({ [key]: value })}`)]), all);
  });
}

const goodValues = table<'key' | 'value'>(`
  key              value
  address          localhost
  address          ::
  port             65535
  tlsPort          0
  metricsPort      off
  publicUrl        http://[::1]:8080
  publicUrl        https://images.example.com/a/b
  hostNames        a_b.example
  hostNames        images
  trustedProxies   10.1.0.0/16
  maxBodySize      1024
  idleTimeout      1
  headerTimeout    3600
  authKeys         {}
  channels         []
  serverName       ~
  store            s3://abc
  storeEncryption  AES256
  storeEncryption  aws:kms
`);

test('values at the edge that are taken', (t) => {
  for (const { key, value } of goodValues) t.notThrows(() => read([`--${key}=${value}`]), `${key} ${value}`);
});

const badValues = table<'key' | 'value'>(`
  key                value
  port               -1
  port               65536
  port               1.5
  port               eighty
  port               8080x
  port               Off
  port               EMPTY
  port               BLANK
  port               Infinity
  port               NaN
  tlsPort            65536
  metricsPort        none
  address            EMPTY
  address            example.com
  address            127.0.0.1:80
  address            256.0.0.1
  metricsAddress     metrics.example
  data               EMPTY
  mode               Public
  mode               EMPTY
  mode               constructor
  authType           basic
  authType           NONE
  authKeys           EMPTY
  authKeys           ada
  authKeys           []
  authKeys           null
  authKeys           {"ada":1}
  authKeys           {"ada":[""]}
  authKeys           {"ada":[["k"],[1]]}
  logLevel           loud
  serverName         EMPTY
  publicUrl          EMPTY
  publicUrl          images.example.com
  publicUrl          ftp://images.example.com
  publicUrl          https://images.example.com/?a=1
  publicUrl          https://images.example.com/#a
  publicUrl          https://ada@images.example.com
  publicUrl          https://:secret@images.example.com
  secretsKey         EMPTY
  dropFolder         EMPTY
  allowedAddresses   nonsense
  allowedHosts       https://a.example
  certificateHeader  two words
  certificateHeader  EMPTY
  sessionLifetime    59
  sessionLifetime    soon
  openidIssuer       EMPTY
  openidIssuer       login.example.com
  openidIssuer       http://login.example.com
  openidIssuer       https://ada:secret@login.example.com
  openidIssuer       https://login.example.com/?a=1
  openidIssuer       https://login.example.com/.well-known/openid-configuration
  openidClient       EMPTY
  openidSecret       EMPTY
  openidScopes       EMPTY
  openidScopes       profile
  openidScopes       openid,two words
  openidName         EMPTY
  openidName         two words
  openidGroups       EMPTY
  openidGroupMap     EMPTY
  openidGroupMap     []
  openidGroupMap     {"ops":1}
  openidGroupMap     {"ops":["no group"]}
  openidCreates      perhaps
  openidBinds        perhaps
  openidLabel        EMPTY
  tlsClientCertificates  perhaps
  hostNames          https://images.example.com
  hostNames          images.example.com:8080
  hostNames          *.example.com
  hostNames          .example.com
  hostNames          bücher.example
  tlsCertificate     EMPTY
  tlsKey             EMPTY
  sendfile           EMPTY
  sendfile           off
  tlsSelfSigned      EMPTY
  tlsSelfSigned      yes
  tlsSelfSigned      1
  tlsMinVersion      1.2
  tlsMinVersion      TLSv1.1
  importBandwidth    65535
  database           EMPTY
  database           mysql://h/d
  database           postgres://h
  database           host=h
  database           postgres://a b/d
  memberName         EMPTY
  memberName         -a
  memberName         a/b
  lease              0
  lease              301
  store              EMPTY
  store              bucket
  store              s3://B
  store              s3://bucket//a
  store              https://s3.example/bucket
  storeEndpoint      s3.example
  storeEncryption    aes
  storeCache         -1
  storeCache         1024
  storeRegion        EMPTY
  storeClass         EMPTY
  storePathStyle     perhaps
  storeCacheDirectory  EMPTY
  importsAtOnce      0
  snapshotsAtOnce    0
  snapshotSilence    0
  zstdImages         perhaps
  datacenters        {"east":"ftp://x"}
  datacenters        []
  lxdRegistries      {"own":"lxd.example"}
  insecureRegistries  https://one.example
  maxFileSize        0
  maxFileSize        20G
  maxFileSize        1e400
  maxFileSize        9007199254740993
  maxIconSize        -5
  maxBodySize        1023
  maxBodySize        67108865
  maxConnections     -1
  requestsPerMinute  many
  headerTimeout      0
  headerTimeout      3601
  idleTimeout        0
  idleTimeout        86401
  blobGrace          -1
  uploadLifetime     59
  auditDays          -1
  inventoryEvery     9
  auditWebhook       EMPTY
  auditWebhook       keeper.example.com
  auditWebhook       ftp://keeper.example.com
  auditWebhook       https://:secret@keeper.example.com
  shutdownGrace      soon
  trustedNetworks    nonsense
  trustedNetworks    10.0.0.0/33
  trustedNetworks    10.0.0.0/
  trustedNetworks    10.0.0.0/8,
  trustedProxies     proxy.example
  channels           EMPTY
  channels           dev
  channels           {}
  channels           [{}]
  channels           [1]
  channels           [{"name":"Dev"}]
  channels           [{"name":"1dev"}]
  channels           [{"name":"dev"},{"name":"dev"}]
  channels           [{"name":"a","default":true},{"name":"b","default":true}]
  channels           [{"name":"a","default":"yes"}]
  channels           [{"name":"a","description":1}]
`);

test('values that are refused are named with their source', (t) => {
  for (const { key, value } of badValues) {
    const text = value.replace('EMPTY', '').replace('BLANK', ' ');
    const flag = problemsOf(t, [`--${key}=${text}`]);
    t.true(flag.length === 1 && flag[0]?.startsWith(`--${key}: `), `${key} ${value} → ${flag.join('\n')}`);
    const env = problemsOf(t, [], { [variable(key)]: text });
    t.true(env.length === 1 && env[0]?.startsWith(`${variable(key)}: `), `${key} ${value} → ${env.join('\n')}`);
  }
});

test('every setting refuses something', (t) => {
  const refused = new Set(badValues.map(({ key }) => key));
  t.deepEqual(
    Object.keys(settings).filter((key) => !refused.has(key)),
    [],
  );
});

const badTypes = [
  { port: true },
  { port: null },
  { port: [8080] },
  { port: {} },
  { address: 1 },
  { data: ['a'] },
  { mode: ['dc'] },
  { mode: null },
  { mode: 'two\nlines' },
  { authKeys: 'ada' },
  { authKeys: ['k'] },
  { authKeys: { ada: { key: 'k' } } },
  { serverName: 5 },
  { serverName: 'two\nlines' },
  { serverName: 'snow ☃' },
  { trustedNetworks: {} },
  { trustedNetworks: [1] },
  { trustedNetworks: [''] },
  { trustedNetworks: null },
  { hostNames: [1] },
  { hostNames: {} },
  { tlsSelfSigned: 1 },
  { tlsSelfSigned: null },
  { tlsCertificate: false },
  { idleTimeout: true },
  { channels: 'dev' },
  { channels: 5 },
  { channels: null },
];

test('values of another type are refused in a file, by key and file', async (t) => {
  for (const values of badTypes) {
    const [problem = '', ...others] = await problemsIn(t, values);
    t.regex(problem, new RegExp(`^${Object.keys(values)[0]} in \\S+config: .`), problem);
    t.notRegex(problem, /\n/);
    t.deepEqual(others, []);
  }
});

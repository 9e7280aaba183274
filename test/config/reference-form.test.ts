import { join } from 'node:path';
import test from 'ava';
import { readConfig } from '../../server/config/read-config.js';
import { report } from '../../server/config/report.js';
import { defaults, file, problemsIn, problemsOf, readFrom } from './settings.js';

const NAME = 'imgapi.config.json';

const theirs = { ...defaults, mode: 'public', hostNames: ['*'], logLevel: 'debug' };

/** As a repository such as images.smartos.org has it. */
const standalone = {
  mode: 'public',
  serverName: 'Images of ours',
  authType: 'signature',
  databaseType: 'local',
  storageTypes: ['local'],
};

/** As an updates server has it, with the usual channels and keys. */
const updates = {
  port: 8081,
  address: '0.0.0.0',
  mode: 'private',
  logLevel: 'info',
  channels: [
    { name: 'experimental', description: 'feature branches' },
    { name: 'dev', description: 'the main branch', default: true },
    { name: 'staging', description: 'before a release' },
    { name: 'release', description: 'released' },
    { name: 'support', description: 'supported' },
  ],
  authType: 'signature',
  authKeys: { ada: ['ssh-rsa AAAA ada', 'ssh-dss AAAA ada'], bob: 'ssh-rsa BBBB bob' },
  databaseType: 'local',
  storageTypes: ['local'],
  placeholderImageLifespanDays: 7,
};

/** As a data center writes it for its own. */
const datacenter = {
  '// comment': 'rendered',
  port: 80,
  address: '10.99.99.21',
  logLevel: 'info',
  maxSockets: 100,
  mode: 'dc',
  datacenterName: 'coal',
  serviceName: 'imgapi',
  instanceUuid: '6c4b1b66-1b6c-4e2a-a42e-5f2d0e6a2f35',
  serverUuid: '44454c4c-5400-1034-8053-b5c04f383432',
  adminIp: '10.99.99.21',
  adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853',
  ufds: { url: 'ldaps://ufds.coal', bindDN: 'cn=root', bindPassword: 'rosebud' },
  moray: { host: 'moray.coal', port: 2020 },
  wfapi: { workflows: ['create-from-vm'], url: 'http://workflow.coal', forceReplace: true },
  databaseType: 'moray',
  storageTypes: ['manta', 'local'],
  manta: { url: 'https://manta.coal', user: 'admin', key: '/root/.ssh/id', keyId: 'SHA256:x', baseDir: 'imgapi' },
  minImageCreationPlatform: ['7.0', '20130917T001310Z'],
  imgapiUrlFromDatacenter: { other: 'http://10.0.0.1' },
};

test('a public repository: its defaults, any Host', async (t) => {
  const { settings, warnings } = await readFrom(t, standalone, NAME);
  t.deepEqual(settings, { ...theirs, serverName: 'Images of ours' } as typeof settings);
  t.is(warnings.length, 1);
  t.regex(warnings[0] ?? '', /imgapi\.config\.json is in the form of the reference server, .* mode is public$/);
});

test('an updates server: channels and keys as they are, a string for a single key too', async (t) => {
  const { settings, warnings } = await readFrom(t, updates, 'config.json');
  t.like(settings, {
    port: 8081,
    address: '0.0.0.0',
    mode: 'private',
    authType: 'signature',
    logLevel: 'info',
    authKeys: { ada: ['ssh-rsa AAAA ada', 'ssh-dss AAAA ada'], bob: ['ssh-rsa BBBB bob'] },
    channels: updates.channels,
  });
  t.deepEqual(
    warnings.slice(1).map((warning) => warning.split(' ')[0]),
    ['placeholderImageLifespanDays'],
  );
});

test('an empty one is enough where it has the name', async (t) => {
  t.deepEqual((await readFrom(t, '{}', NAME)).settings, theirs as typeof defaults);
  t.deepEqual((await readFrom(t, '{}', 'other.json')).settings, defaults);
});

test('what both forms have is ours under another name', async (t) => {
  const both = { port: 1, mode: 'public', channels: [{ name: 'dev' }], authKeys: { ada: 'k' } };
  const { settings, warnings } = await readFrom(t, both, 'slipway.json');
  t.like(settings, { port: 1, mode: 'public', hostNames: [], logLevel: 'info' });
  t.deepEqual(warnings, []);
});

test('a single key that only the reference has tells', async (t) => {
  for (const key of ['databaseType', 'storageTypes', 'maxSockets', 'datacenterName', 'adminUuid', 'ufds', 'manta']) {
    const value = key === 'databaseType' || key === 'storageTypes' ? 'local' : 'x';
    t.is((await readFrom(t, { [key]: value }, 'a.json')).settings.mode, 'public', key);
  }
});

test('in TOML there is only our form', async (t) => {
  t.deepEqual(
    (await problemsIn(t, 'databaseType = "local"')).map((problem) => problem.split(',')[0]),
    ['there is no setting databaseType'],
  );
});

test('a data center on moray and Manta is refused, with all that stands in the way at once', async (t) => {
  const problems = await problemsIn(t, datacenter, NAME);
  t.deepEqual(
    problems.map((problem) => problem.split(' ')[0]),
    ['databaseType', 'storageTypes'],
  );
  t.regex(problems[0] ?? '', /moray.*can not be taken over: .*import the images/);
  t.regex(problems[1] ?? '', /manta.*can not be taken over: .*change-stor/);
  const more = await problemsIn(t, { ...datacenter, mode: 'other', authType: 'basic', port: 'http' }, NAME);
  t.is(more.length, 5);
});

test('a data center on local files: trusted as there, metrics where they were, all others warned of by name', async (t) => {
  const local = { ...datacenter, databaseType: 'local', storageTypes: ['local'] };
  const config = await readFrom(t, { ...local, surprise: 1 }, NAME);
  t.deepEqual(config.settings, {
    ...theirs,
    mode: 'dc',
    authType: 'none',
    port: 80,
    address: '10.99.99.21',
    logLevel: 'info',
    metricsAddress: '10.99.99.21',
    metricsPort: 8881,
    datacenters: { other: 'http://10.0.0.1' },
  } as typeof defaults);
  t.deepEqual(
    config.warnings.slice(1).map((warning) => warning.split(' ')[0]),
    [
      'maxSockets',
      'datacenterName',
      'serviceName',
      'instanceUuid',
      'serverUuid',
      'adminUuid',
      'ufds',
      'moray',
      'wfapi',
      'manta',
      'minImageCreationPlatform',
      'surprise',
    ],
  );
  t.notRegex(report(config), /rosebud/);
});

test('authType: none by itself only where the mode comes out as dc', async (t) => {
  const cases: [content: object, argv: string[], authType: 'none' | 'signature'][] = [
    [{}, [], 'signature'],
    [{ mode: 'private' }, [], 'signature'],
    [{ mode: 'dc' }, [], 'none'],
    [{ mode: 'dc', authType: 'signature' }, [], 'signature'],
    [{ authType: 'none' }, [], 'none'],
    [{ mode: 'dc' }, ['--mode', 'public'], 'signature'],
    [{ mode: 'public' }, ['--mode', 'dc'], 'none'],
    [{ mode: 'dc' }, ['--auth-type', 'signature'], 'signature'],
  ];
  for (const [content, argv, authType] of cases) {
    const { settings } = readConfig(['--config', await file(t, content, NAME), ...argv], {});
    t.is(settings.authType, authType, JSON.stringify([content, argv]));
  }
});

test('metrics are of mode dc only', async (t) => {
  t.like((await readFrom(t, { adminIp: '10.0.0.1' }, NAME)).settings, {
    metricsAddress: '127.0.0.1',
    metricsPort: 'off',
  });
});

test('flags and variables win over it; settings of ours may stand in it', async (t) => {
  const path = await file(t, { ...standalone, data: '/srv/images', logLevel: 'warn', idleTimeout: 60 }, NAME);
  const { settings } = readConfig(['--config', path, '--port', '1'], { SLIPWAY_HOST_NAMES: 'images.example' });
  t.like(settings, { port: 1, hostNames: ['images.example'], data: '/srv/images', logLevel: 'warn', idleTimeout: 60 });
});

test('levels of the log are numbers or names there', async (t) => {
  const levels: [theirs: unknown, ours: string][] = [
    ['DEBUG', 'debug'],
    [0, 'trace'],
    [10, 'trace'],
    [20, 'debug'],
    [30, 'info'],
    [35, 'warn'],
    [50, 'error'],
    [60, 'fatal'],
    [61, 'silent'],
  ];
  for (const [level, ours] of levels) {
    t.is((await readFrom(t, { logLevel: level }, NAME)).settings.logLevel, ours, String(level));
  }
  t.regex((await problemsIn(t, { logLevel: 'loud' }, NAME))[0] ?? '', /^logLevel in .*"loud" is not one of/);
});

test('values of the reference are held to what they must be', async (t) => {
  const problems = await problemsIn(t, { port: '80x', address: 'images.example', channels: [{ name: 'DEV' }] }, NAME);
  t.deepEqual(
    problems.map((problem) => problem.split(' ')[0]),
    ['address', 'port', 'channels'],
  );
});

test('null is as good as nothing, and a comment may stand there twice', async (t) => {
  const { settings, warnings } = await readFrom(t, '{"channels":null,"// a":1,"// a":2,"manta":null}', NAME);
  t.deepEqual([settings.channels, warnings.length], [[], 1]);
});

test('of a mistaken file by that name, what is wrong is told as of any other', async (t) => {
  const absent = join('/nowhere', NAME);
  t.regex(problemsOf(t, ['--config', absent])[0] ?? '', /there is no such file/);
  t.regex((await problemsIn(t, '{"mode":"public",}', NAME))[0] ?? '', /not valid JSON: .*line 1, column 18$/);
});

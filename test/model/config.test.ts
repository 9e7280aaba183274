import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigError, readConfig, usage } from '../../server/config/read-config.js';
import { type Settings, settings } from '../../server/config/settings.js';
import { scratch } from '../support/scratch.js';
import { table } from '../support/table.js';

const defaults: Settings = {
  address: '127.0.0.1',
  port: 8080,
  data: resolve('data'),
  mode: 'dc',
  authType: 'signature',
  channels: [],
  trustedNetworks: [],
  serverName: undefined,
  logLevel: 'info',
  maxFileSize: 21_474_836_480,
  maxIconSize: 131_072,
  blobGrace: 3600,
  shutdownGrace: 30,
};

async function file(t: ExecutionContext, content: string, name = 'config'): Promise<string> {
  const path = join(await scratch(t), name);
  await writeFile(path, content);
  return path;
}

test('without flags, variables and a file: the defaults', (t) => {
  t.deepEqual(readConfig([], {}), defaults);
});

test('other variables are none of ours', (t) => {
  t.deepEqual(readConfig([], { PORT: '1', SLIPWAY_NONSENSE: 'x', slipway_port: '1', SLIPWAY_PORTS: '1' }), defaults);
});

const precedence = table<'flag' | 'env' | 'file' | 'port'>(`
  flag  env   file  port
  -     -     -     8080
  -     -     1003  1003
  -     1002  -     1002
  -     1002  1003  1002
  1001  -     -     1001
  1001  -     1003  1001
  1001  1002  -     1001
  1001  1002  1003  1001
`);

test('flags win over the environment, the environment over the file', async (t) => {
  for (const row of precedence) {
    const path = await file(t, row.file ? `port = ${row.file}` : '');
    const argv = ['--config', path, ...(row.flag ? ['--port', row.flag] : [])];
    const { port } = readConfig(argv, row.env ? { SLIPWAY_PORT: row.env } : {});
    t.is(port, Number(row.port), JSON.stringify(row));
  }
});

test('each key by itself: what one source leaves out comes from the next', async (t) => {
  const path = await file(t, 'port = 1003\nmode = "public"\nlogLevel = "warn"');
  const found = readConfig(['--port', '1001'], { SLIPWAY_CONFIG: path, SLIPWAY_MODE: 'private' });
  t.deepEqual(found, { ...defaults, port: 1001, mode: 'private', logLevel: 'warn' });
});

test('--config goes before SLIPWAY_CONFIG', async (t) => {
  const [one, other] = [await file(t, 'port = 1'), await file(t, 'port = 2')];
  t.is(readConfig(['--config', one], { SLIPWAY_CONFIG: other }).port, 1);
  t.is(readConfig([], { SLIPWAY_CONFIG: other }).port, 2);
});

test('of a flag that is given twice the last counts', (t) => {
  t.is(readConfig(['--port', '1', '--port=2'], {}).port, 2);
});

/** Every key as text, as flags and variables have it, and as a file has it. */
const spelled: { [Key in keyof Settings]: { text: string; value: unknown; read: Settings[Key] } } = {
  address: { text: '::1', value: '::1', read: '::1' },
  port: { text: '0', value: 0, read: 0 },
  data: { text: 'some/where', value: 'some/where', read: resolve('some/where') },
  mode: { text: 'private', value: 'private', read: 'private' },
  authType: { text: 'none', value: 'none', read: 'none' },
  channels: {
    text: '[{"name":"dev","description":"d","default":true},{"name":"x"}]',
    value: [{ name: 'dev', description: 'd', default: true }, { name: 'x' }],
    read: [
      { name: 'dev', description: 'd', default: true },
      { name: 'x', description: '' },
    ],
  },
  trustedNetworks: {
    text: '10.0.0.0/8, fd00::/8',
    value: ['10.0.0.0/8', 'fd00::/8'],
    read: ['10.0.0.0/8', 'fd00::/8'],
  },
  serverName: { text: 'a server', value: 'a server', read: 'a server' },
  logLevel: { text: 'silent', value: 'silent', read: 'silent' },
  maxFileSize: { text: '1', value: 1, read: 1 },
  maxIconSize: { text: '4096', value: 4096, read: 4096 },
  blobGrace: { text: '0', value: 0, read: 0 },
  shutdownGrace: { text: '7', value: 7, read: 7 },
};

const variable = (key: string) => `SLIPWAY_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

for (const [key, { text, value, read }] of Object.entries(spelled)) {
  test(`${key}: as a flag, as ${variable(key)}, in TOML and in JSON`, async (t) => {
    const expected = { ...defaults, [key]: read };
    const toml = `${key} = ${JSON.stringify(value).replaceAll(/"(\w+)":/g, '$1 =')}`;
    t.deepEqual(readConfig([`--${key}`, text], {}), expected);
    t.deepEqual(readConfig([`--${key}=${text}`], {}), expected);
    t.deepEqual(readConfig([], { [variable(key)]: text }), expected);
    t.deepEqual(readConfig(['--config', await file(t, toml)], {}), expected);
    t.deepEqual(readConfig(['--config', await file(t, ` \n${JSON.stringify({ [key]: value })}`)], {}), expected);
  });
}

test('every setting is read, and told of in the usage', (t) => {
  t.deepEqual(Object.keys(spelled), Object.keys(settings));
  for (const key of [...Object.keys(settings), 'config']) t.regex(usage, new RegExp(`^  --${key} `, 'm'));
});

test('TOML as people write it', async (t) => {
  const path = await file(
    t,
    `# ours
mode = 'public'
trustedNetworks = [
  "10.0.0.0/8", # the admin network
]

[[channels]]
name = "dev"
default = true

[[channels]]
name = "release"
description = "for everybody"
`,
  );
  t.like(readConfig(['--config', path], {}), {
    mode: 'public',
    trustedNetworks: ['10.0.0.0/8'],
    channels: [
      { name: 'dev', description: '', default: true },
      { name: 'release', description: 'for everybody' },
    ],
  });
});

const badValues = table<'key' | 'value'>(`
  key              value
  port             -1
  port             65536
  port             1.5
  port             eighty
  port             8080x
  port             EMPTY
  port             BLANK
  port             Infinity
  port             NaN
  address          EMPTY
  address          example.com
  address          127.0.0.1:80
  address          256.0.0.1
  data             EMPTY
  mode             Public
  mode             EMPTY
  mode             constructor
  authType         basic
  authType         NONE
  logLevel         loud
  serverName       EMPTY
  maxFileSize      0
  maxFileSize      20G
  maxFileSize      1e400
  maxFileSize      9007199254740993
  maxIconSize      -5
  blobGrace        -1
  shutdownGrace    soon
  trustedNetworks  EMPTY
  trustedNetworks  nonsense
  trustedNetworks  10.0.0.0/33
  trustedNetworks  10.0.0.0/
  trustedNetworks  10.0.0.0/8,
  channels         EMPTY
  channels         dev
  channels         {}
  channels         [{}]
  channels         [1]
  channels         [{"name":"Dev"}]
  channels         [{"name":"1dev"}]
  channels         [{"name":"dev"},{"name":"dev"}]
  channels         [{"name":"a","default":true},{"name":"b","default":true}]
  channels         [{"name":"a","default":"yes"}]
  channels         [{"name":"a","description":1}]
`);

test('values that are refused are named with their source', (t) => {
  for (const { key, value } of badValues) {
    const text = value.replace('EMPTY', '').replace('BLANK', ' ');
    const flag = t.throws(() => readConfig([`--${key}=${text}`], {}), { instanceOf: ConfigError }, `${key} ${value}`);
    t.true(flag?.message.startsWith(`--${key}: `), flag?.message);
    const env = t.throws(() => readConfig([], { [variable(key)]: text }), { instanceOf: ConfigError });
    t.true(env?.message.startsWith(`${variable(key)}: `), env?.message);
  }
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
  { serverName: 5 },
  { serverName: 'two\nlines' },
  { serverName: 'snow ☃' },
  { trustedNetworks: {} },
  { trustedNetworks: [1] },
  { trustedNetworks: [''] },
  { trustedNetworks: null },
  { channels: 'dev' },
  { channels: 5 },
  { channels: null },
];

test('values of another type are refused in a file, by key and file', async (t) => {
  for (const values of badTypes) {
    const path = await file(t, JSON.stringify(values));
    const { message } = t.throws(() => readConfig(['--config', path], {}), { instanceOf: ConfigError })!;
    t.true(message.startsWith(`${Object.keys(values)[0]} in ${path}: `), message);
  }
});

const badFiles: [content: string, named: string][] = [
  ['colour = "red"', 'colour'],
  ['{"colour":"red","Port":1}', 'colour, Port'],
  ['config = "other"', 'config'],
  ['{"__proto__":{"port":1}}', '__proto__'],
  ['{"constructor":1}', 'constructor'],
  ['[port]\nx = 1', 'port'],
  ['port 1', 'can not read'],
  ['port = 1\nport = 2', 'can not read'],
  ['{"port":1', 'can not read'],
  ['{"port":1}}', 'can not read'],
  ['[1, 2]', 'can not read'],
];

test('files that are refused', async (t) => {
  for (const [content, named] of badFiles) {
    const path = await file(t, content);
    const { message } = t.throws(() => readConfig(['--config', path], {}), { instanceOf: ConfigError })!;
    t.true(message.includes(named), `${content} → ${message}`);
    t.true(message.includes(path), `${content} → ${message}`);
  }
});

test('a file that is not there is a mistake', async (t) => {
  const path = join(await scratch(t), 'absent');
  for (const [argv, env] of [
    [['--config', path], {}],
    [[], { SLIPWAY_CONFIG: path }],
  ] as const) {
    const { message } = t.throws(() => readConfig(argv, env), { instanceOf: ConfigError })!;
    t.true(message.includes(path));
  }
});

const badFlags = [['--colour', 'red'], ['--port'], ['-p', '1'], ['1'], ['--', '1'], ['--no-port'], ['--Port', '1']];

test('flags that are refused', (t) => {
  for (const argv of badFlags) {
    t.throws(() => readConfig(argv, {}), { instanceOf: ConfigError }, argv.join(' '));
  }
});

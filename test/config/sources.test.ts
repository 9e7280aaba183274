import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test from 'ava';
import { readConfig } from '../../server/config/read-config.js';
import { scratch } from '../support/scratch.js';
import { table } from '../support/table.js';
import { defaults, file, problemsIn, problemsOf, read, readFrom } from './settings.js';

test('without flags, variables and a file: the defaults', (t) => {
  const { settings, start, warnings, found } = readConfig([], {});
  t.deepEqual(settings, defaults);
  t.deepEqual(start, {
    config: undefined,
    checkConfig: false,
    takeover: undefined,
    fillChannel: undefined,
    restore: undefined,
    restorePassphrase: undefined,
    newSecretsKey: undefined,
    abortMigration: false,
  });
  t.deepEqual([warnings.length, found.size], [0, 0]);
});

// --- Which source wins

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
    const path = await file(t, row.file ? `port = ${row.file}` : '# nothing');
    const argv = ['--config', path, ...(row.flag ? ['--port', row.flag] : [])];
    const { settings, found } = readConfig(argv, row.env ? { SLIPWAY_PORT: row.env } : {});
    t.is(settings.port, Number(row.port), JSON.stringify(row));
    const at = row.flag ? '--port' : row.env ? 'SLIPWAY_PORT' : row.file ? `port in ${path}` : undefined;
    t.is(found.get('port')?.at, at);
  }
});

test('each key by itself: what one source leaves out comes from the next', async (t) => {
  const path = await file(t, 'port = 1003\nmode = "public"\nlogLevel = "warn"');
  const settings = read(['--port', '1001'], { SLIPWAY_CONFIG: path, SLIPWAY_MODE: 'private' });
  t.deepEqual(settings, { ...defaults, port: 1001, mode: 'private', logLevel: 'warn' });
});

test('a value that another source overrides does not have to be a good one', async (t) => {
  const path = await file(t, 'port = "eighty"');
  t.is(read(['--config', path, '--port', '80']).port, 80);
  t.is(read(['--port', '80'], { SLIPWAY_PORT: 'eighty' }).port, 80);
});

test('--config goes before SLIPWAY_CONFIG', async (t) => {
  const [one, other] = [await file(t, 'port = 1'), await file(t, 'port = 2')];
  t.is(read(['--config', one], { SLIPWAY_CONFIG: other }).port, 1);
  t.is(read([], { SLIPWAY_CONFIG: other }).port, 2);
});

// --- Flags

const goodFlags: [argv: string[], read: object][] = [
  [['--port', '1', '--port=2'], { port: 2 }],
  [['--tls-port', '1', '--tlsPort', '2'], { tlsPort: 2 }],
  [['--tlsPort', '1', '--tls-port', '2'], { tlsPort: 2 }],
  [['--server-name', '--'], {}],
  [['--server-name=--x'], { serverName: '--x' }],
  [['--server-name', '-x'], { serverName: '-x' }],
  [['--server-name=a=b'], { serverName: 'a=b' }],
  [['--tls-self-signed'], { tlsSelfSigned: true }],
  [['--tlsSelfSigned'], { tlsSelfSigned: true }],
  [['--tls-self-signed=false'], { tlsSelfSigned: false }],
  [['--tls-self-signed', '--port', '1'], { tlsSelfSigned: true, port: 1 }],
];

test('flags in both spellings', (t) => {
  for (const [argv, expected] of goodFlags) {
    if (argv[1] === '--') t.deepEqual(problemsOf(t, argv), ['--server-name: a value is missing']);
    else t.like(read(argv), expected, argv.join(' '));
  }
});

test('start options beside the settings', (t) => {
  t.like(readConfig(['--check-config', '--takeover', '/data/imgapi'], {}).start, {
    checkConfig: true,
    takeover: '/data/imgapi',
  });
  t.true(readConfig(['--checkConfig'], {}).start.checkConfig);
});

const badFlags: [argv: string[], problems: string[]][] = [
  [['--prot', '1'], ['there is no flag --prot; did you mean --port?']],
  [['--Port', '1'], ['there is no flag --Port; did you mean --port?']],
  [['--tls-prot=1'], ['there is no flag --tls-prot; did you mean --tls-port?']],
  [['--trustedNetwork', '::1'], ['there is no flag --trustedNetwork; did you mean --trusted-networks?']],
  [['--cofnig', 'x'], ['there is no flag --cofnig; did you mean --config?']],
  [['--colour', 'red'], ['there is no flag --colour; --help lists all there are']],
  [['--no-port'], ['there is no flag --no-port; --help lists all there are']],
  [['--__proto__', 'x'], ['there is no flag --__proto__; --help lists all there are']],
  [['--constructor=x'], ['there is no flag --constructor; --help lists all there are']],
  [['-p', '1'], ['there is no flag -p; --help lists all there are']],
  [['--port'], ['--port: a value is missing']],
  [['--config'], ['--config: a value is missing']],
  [['--takeover', '--check-config'], ['--takeover: a value is missing']],
  [
    ['--port', '--mode', 'dc'],
    ['--port: a value is missing', '"dc" belongs to no flag; --help lists all there are'],
  ],
  [['--check-config=yes'], ['--check-config: it takes no value']],
  [['--tls-self-signed=yes'], ['--tls-self-signed: "yes" is neither true nor false']],
  [['--tls-self-signed', 'false'], ['"false" belongs to no flag; --help lists all there are']],
  [['start'], ['"start" belongs to no flag; --help lists all there are']],
  [['--', 'start'], ['"start" belongs to no flag; --help lists all there are']],
];

test('flags that are refused', (t) => {
  for (const [argv, problems] of badFlags) t.deepEqual(problemsOf(t, argv), problems, argv.join(' '));
});

// --- Environment

test('variables of ours that are not known are refused by name, with the nearest', (t) => {
  t.deepEqual(problemsOf(t, [], { SLIPWAY_PROT: '1', SLIPWAY_NONSENSE: '1', SLIPWAY_TLSPORT: '1' }), [
    'there is no variable SLIPWAY_PROT; did you mean SLIPWAY_PORT?',
    'there is no variable SLIPWAY_NONSENSE; --help lists all there are',
    'there is no variable SLIPWAY_TLSPORT; did you mean SLIPWAY_TLS_PORT?',
  ]);
});

test('variables of others are none of our business', (t) => {
  const others = { PORT: '1', slipway_port: '1', SLIPWAYPORT: '1', MY_SLIPWAY_PORT: '1' };
  t.deepEqual(read([], others), defaults);
});

test('nor are those of the command line client, all of them', async (t) => {
  const help = await readFile(new URL('../../../cli/program.ts', import.meta.url), 'utf8');
  const client: string[] = help.match(/SLIPWAY_\w+/g) ?? [];
  t.true(client.includes('SLIPWAY_TOKEN'));
  t.deepEqual(read([], Object.fromEntries(client.map((name) => [name, 'x']))), defaults);
});

test('a variable that is empty is a value that is wrong', (t) => {
  t.regex(problemsOf(t, [], { SLIPWAY_PORT: '' })[0] ?? '', /^SLIPWAY_PORT: /);
  t.regex(problemsOf(t, [], { SLIPWAY_CONFIG: '' })[0] ?? '', /configuration file "": there is no such file/);
});

// --- Files

test('TOML as people write it', async (t) => {
  const { settings } = await readFrom(
    t,
    `\uFEFF# ours
mode = 'public'
trustedNetworks = [
  "10.0.0.0/8", # the admin network
]

[authKeys]
ada = "ssh-ed25519 AAAA ada@desk"
bob = ["ssh-rsa AAAA bob@desk", "ssh-rsa BBBB bob@train"]

[[channels]]
name = "dev"
default = true

[[channels]]
name = "release"
description = "for everybody"
`,
  );
  t.deepEqual(settings, {
    ...defaults,
    mode: 'public',
    trustedNetworks: ['10.0.0.0/8'],
    authKeys: {
      ada: ['ssh-ed25519 AAAA ada@desk'],
      bob: ['ssh-rsa AAAA bob@desk', 'ssh-rsa BBBB bob@train'],
    },
    channels: [
      { name: 'dev', description: '', default: true },
      { name: 'release', description: 'for everybody' },
    ],
  });
});

const badFiles: [content: string, problems: RegExp[]][] = [
  ['', [/^\S+config is empty/]],
  [' \n\t\n', [/ is empty/]],
  ['colour = "red"', [/^there is no setting colour, as in \S+config; --help/]],
  ['trustednetwork = []', [/no setting trustednetwork, .*did you mean trustedNetworks\?$/]],
  ['prot = 1\nmdoe = "dc"', [/did you mean port\?/, /did you mean mode\?/]],
  ['{"colour":"red","Port":1}', [/no setting colour/, /no setting Port, .*did you mean port\?/]],
  ['config = "other"', [/no setting config/]],
  ['{"__proto__":{"port":1}}', [/no setting __proto__/]],
  ['{"constructor":1}', [/no setting constructor/]],
  ['{"two\\nlines":1}', [/no setting two lines/]],
  ['[port]\nx = 1', [/^port in \S+: an object is not a whole number/]],
  ['port 1', [/not valid TOML: .* in line 1, column 6$/]],
  ['mode = "dc"\nport = \n', [/not valid TOML: .* in line 2, column 8$/]],
  ['port = 1\nport = 2', [/not valid TOML: .*already defined.* in line 2, column 1$/]],
  ['[authKeys]\na = "x"\n[authKeys]\nb = "y"', [/not valid TOML: .* in line 3/]],
  ['mode = "dc', [/not valid TOML: .* line 1/]],
  ['{"port":1', [/not valid JSON: .*line 1, column 10$/]],
  ['{\n  "port": 1\n  "mode": "dc"\n}', [/not valid JSON: .*line 3, column 3$/]],
  ['{"port":1}}', [/not valid JSON: .*line 1, column 11$/]],
  ['{ "port": ', [/not valid JSON: Unexpected end/]],
  ['{"port":1,"mode":"dc","port":2}', [/^port in \S+ is there twice$/]],
  ['{"authKeys":{"ada":[],"ada":[]}}', [/^ada in \S+ is there twice$/]],
  ['{"channels":[{"name":"a","name":"b"}]}', [/^name in \S+ is there twice$/]],
  ['[1, 2]', [/not valid TOML/]],
];

test('files that are refused, each with what and where', async (t) => {
  for (const [content, expected] of badFiles) {
    const problems = await problemsIn(t, content);
    t.is(problems.length, expected.length, `${content} → ${problems.join('\n')}`);
    for (const [at, pattern] of expected.entries()) t.regex(problems[at] ?? '', pattern);
    for (const problem of problems) t.notRegex(problem, /[\n\r]/);
  }
});

test('keys that look alike in other places are not there twice', async (t) => {
  const { settings } = await readFrom(
    t,
    '{"channels":[{"name":"a","description":"{\\"name\\": \\"}"},{"name":"b"}],"authKeys":{"name":"x","port":"y"},"port":1}',
  );
  t.is(settings.port, 1);
});

test('a list that is empty in a flag or a variable takes away that of the file', async (t) => {
  const path = await file(t, 'trustedNetworks = ["10.0.0.0/8"]\nhostNames = ["a.example"]');
  const settings = read(['--config', path, '--trusted-networks='], { SLIPWAY_HOST_NAMES: ' ' });
  t.deepEqual(settings.trustedNetworks, []);
  t.deepEqual(settings.hostNames, []);
});

test('what is wrong with a file never quotes it: there are passwords in such files', async (t) => {
  for (const content of [
    '{"ufds":{"bindPassword":"rosebud"},"port":tru}',
    '{"ufds":{"bindPassword":"rosebud"}',
    'password = "rosebud',
    '{"publicUrl":"http://ada:rosebud@images.example"}',
    'publicUrl = "ftp://:rosebud@images.example"',
    'publicUrl = "https://ada:rose#rosebud@images.example"',
    'publicUrl = "https://ada:rosebud@images.example:port"',
  ]) {
    for (const problem of await problemsIn(t, content)) t.notRegex(problem, /rosebud/);
  }
});

test('a file that is not there, and one that is a directory', async (t) => {
  const directory = await scratch(t);
  const absent = join(directory, 'absent');
  for (const [argv, env] of [
    [['--config', absent], {}],
    [[], { SLIPWAY_CONFIG: absent }],
  ] as const) {
    t.deepEqual(problemsOf(t, argv, env), [`can not read the configuration file "${absent}": there is no such file`]);
  }
  await mkdir(join(directory, 'd'));
  t.deepEqual(problemsOf(t, ['--config', directory]), [
    `can not read the configuration file "${directory}": it is a directory`,
  ]);
});

// --- All at once

test('everything that is wrong is told at once, flags, variables, file and values', async (t) => {
  const path = await file(t, 'colour = "red"\nmode = "datacenter"\nblobGrace = -1');
  const problems = problemsOf(t, ['--config', path, '--prot', '1', '--tls-key', '/nowhere/key.pem'], {
    SLIPWAY_MODES: 'dc',
    SLIPWAY_ADDRESS: 'here',
  });
  const expected = [
    /--prot/,
    /SLIPWAY_MODES/,
    /no setting colour/,
    /^SLIPWAY_ADDRESS: /,
    /^blobGrace in /,
    /^mode in /,
    /^tlsKey is .* no tlsCertificate/,
    /^tlsKey: can not read "\/nowhere\/key.pem": there is no such file/,
  ];
  t.is(problems.length, expected.length, problems.join('\n'));
  for (const [at, pattern] of expected.entries()) t.regex(problems[at] ?? '', pattern);
});

test('data is told as a whole path', (t) => {
  t.is(read(['--data', 'some/where']).data, resolve('some/where'));
});

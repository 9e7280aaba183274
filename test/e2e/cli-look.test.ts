import test from 'ava';
import { anImage, cli, sharedDaemon } from '../support/cli.js';
import { startDaemon } from '../support/daemon.js';
import { remote } from '../support/remote.js';

const daemon = sharedDaemon(test);

/** Images of one name, which no other test lists. */
async function family(name: string, manifests: Record<string, unknown>[]) {
  const images = [];
  for (const manifest of manifests) images.push(await anImage(daemon(), { name, ...manifest }));
  return images.map(({ uuid }) => uuid);
}

const asAdmin = () => ({ SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: daemon().token });

// --- ping

test('ping says which version answers, and as whom it knows us', async (t) => {
  const { run } = await cli(t);
  t.deepEqual(await run(['ping', '--url', daemon().url]), {
    code: 0,
    signal: null,
    stdout: `${daemon().url} has version 0.1.0; you are not logged in\n`,
    stderr: '',
  });
  const known = await run(['ping', '--json'], { env: asAdmin() });
  t.like(JSON.parse(known.stdout), { ping: 'pong', imgapi: true, user: 'admin' });
});

// --- list

test('list shows a table, by chosen columns, sorted by several of them', async (t) => {
  const [first, second, third] = await family('table', [
    { version: '1.9.0', tags: { role: 'db' } },
    { version: '1.10.0', tags: { role: 'web', 'a.b': 1 } },
    { version: '1.10.0', os: 'linux' },
  ]);
  const { run } = await cli(t, asAdmin());
  const plain = await run(['list', '--name', 'table']);
  t.regex(plain.stdout, /^UUID +NAME +VERSION +STATE +OS +TYPE +PUBLISHED\n/);
  t.is(plain.stdout.split('\n').length, 5);
  t.is(plain.stderr, '');

  const chosen = ['list', '--name', 'table', '-o', 'version,os,tags.role,tags.a.b,bytes,uuid', '-s', '-version,os'];
  t.is(
    (await run(chosen)).stdout,
    [
      'VERSION  OS     TAGS.ROLE  TAGS.A.B  BYTES  UUID',
      `1.10.0   linux  -          -             9  ${third}`,
      `1.10.0   other  web        1             9  ${second}`,
      `1.9.0    other  db         -             9  ${first}`,
      '',
    ].join('\n'),
  );
});

test('list without titles and with one column is for scripts, and nothing is nothing', async (t) => {
  const [one] = await family('script', [{}]);
  const { run } = await cli(t, asAdmin());
  t.is((await run(['list', '-H', '-o', 'uuid', '--name', 'script'])).stdout, `${one}\n`);
  t.like(await run(['list', '-H', '-o', 'uuid', '--name', 'nobody has it']), { code: 0, stdout: '' });
  t.is((await run(['list', '-j', '--name', 'nobody has it'])).stdout, '[]\n');
});

test('list as JSON holds whole manifests', async (t) => {
  const [uuid] = await family('json', [{ description: 'a\u202eb' }]);
  const { run } = await cli(t, asAdmin());
  const { stdout } = await run(['list', '--json', '--name', 'json']);
  const { json } = await daemon().ask('GET', `/images/${uuid}`, { headers: { 'accept-version': '~2' } });
  t.deepEqual(JSON.parse(stdout), [json]);
});

test('every filter of list reaches the server', async (t) => {
  const owner = '11111111-1111-4111-8111-111111111111';
  const [plain, tagged, disabled] = await family('filters', [
    { version: '1.0.0' },
    { version: '2.0.0', os: 'linux', type: 'zone-dataset', tags: { role: 'db' }, billing_tags: ['x'], public: false },
    { version: '3.0.0' },
  ]);
  await daemon().ask('POST', `/images/${disabled}?action=disable`);
  const { run } = await cli(t, asAdmin());
  const listed = async (...filter: string[]) => {
    const { stdout } = await run(['list', '-H', '-o', 'uuid', '--name', '~filter', ...filter]);
    return stdout.split('\n').filter(Boolean);
  };
  t.deepEqual(await listed(), [plain, tagged]);
  t.deepEqual(await listed('--version', '2.0.0'), [tagged]);
  t.deepEqual(await listed('--version', '~1'), [plain]);
  t.deepEqual(await listed('--os', 'linux'), [tagged]);
  t.deepEqual(await listed('--type', '!other'), [tagged]);
  t.deepEqual(await listed('--owner', owner), []);
  t.deepEqual(await listed('--tag', 'role=db'), [tagged]);
  t.deepEqual(await listed('--tag', 'role=db', '--tag', 'more=1'), []);
  t.deepEqual(await listed('--billing-tag', 'x'), [tagged]);
  t.deepEqual(await listed('--public'), [plain]);
  t.deepEqual(await listed('--private'), [tagged]);
  t.deepEqual(await listed('--account', owner), [plain]);
  t.deepEqual(await listed('--state', 'disabled'), [disabled]);
  t.deepEqual(await listed('--state', 'all'), [plain, tagged, disabled]);
  t.deepEqual(await listed('--limit', '1'), [plain]);
  t.deepEqual(await listed('--latest'), [tagged]);
});

const misuses: [args: string[], message: RegExp][] = [
  [['list', '-o', 'uuid,nam'], /^slipway: there is no column "nam"\nhint: a column is any field/],
  [['list', '-s', '-nam'], /there is no column "nam"/],
  [['list', '--state', 'lost'], /Allowed choices are active, disabled/],
  [['list', '--tag', 'role'], /a tag is written like/],
  [['list', '--limit', 'ten'], /--limit has to be a number/],
  [['list', '--public', '--private'], /cannot be used with option '--private'/],
  [['list', '--nmae', 'x'], /unknown option '--nmae'\n\(Did you mean --name\?\)\nhint: "slipway list --help"/],
  [['lst'], /unknown command 'lst'\n\(Did you mean list\?\)\nhint: "slipway --help"/],
  [['show'], /missing required argument 'image'/],
  [['show', 'a', 'b'], /too many arguments/],
  [['ping', '--url', 'x', '--server', 'y'], /cannot be used with option/],
];

for (const [args, message] of misuses) {
  test(`wrong usage ends with 1: ${args.join(' ')}`, async (t) => {
    const { run } = await cli(t, { SLIPWAY_URL: daemon().url });
    const { code, stdout, stderr } = await run(args);
    t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    t.regex(stderr, message);
    t.regex(stderr, /^slipway: /);
    t.notRegex(stderr, /\n +at /, 'a stack trace');
  });
}

// --- show

test('show finds an image by uuid, beginning, name and version', async (t) => {
  const [old, latest] = await family('shown', [{ version: '1.9.0' }, { version: '1.10.0', description: 'line\nline' }]);
  const { run } = await cli(t, asAdmin());
  const shown = async (wanted: string) => JSON.parse((await run(['show', wanted, '--json'])).stdout).uuid;
  t.is(await shown(old!), old);
  t.is(await shown(old!.toUpperCase()), old);
  t.is(await shown(old!.slice(0, 13)), old);
  t.is(await shown('shown'), latest);
  t.is(await shown('shown@1.9.0'), old);

  const { stdout } = await run(['show', 'shown']);
  t.regex(stdout, new RegExp(`^uuid +${latest}$`, 'm'));
  t.regex(stdout, /^description +line\\u000aline$/m);
  t.regex(stdout, /^files +9 B, compression none, sha1 [0-9a-f]{40}$/m);
});

test('what may be several images is refused with the list of them', async (t) => {
  const twins = await family('twins', [{}, {}]);
  const { run } = await cli(t, asAdmin());
  for (const wanted of ['twins', 'twins@1.0.0']) {
    const { code, stdout, stderr } = await run(['show', wanted]);
    t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    for (const uuid of twins) t.true(stderr.includes(`\n  ${uuid}  twins@1.0.0  active`));
    t.true(stderr.endsWith('hint: name one of them by its uuid\n'));
  }
});

test('names and versions of other servers may have an @ in them', async (t) => {
  const images = [
    { uuid: 'first', name: 'a@b', version: '1@2' },
    { uuid: 'second', name: 'a', version: 'b' },
  ];
  const { url } = await remote(t, { 'GET /images': images });
  const { run } = await cli(t, { SLIPWAY_URL: url });
  const uuidOf = async (wanted: string) => JSON.parse((await run(['show', wanted, '--json'])).stdout).uuid;
  t.is(await uuidOf('a@b@1@2'), 'first');
  t.is(await uuidOf('a@b'), 'second', 'the shortest name counts');
  images.pop();
  t.is(await uuidOf('a@b'), 'first');
});

test('what may be meant is listed in lines that are ours', async (t) => {
  const { url } = await remote(t, {
    'GET /images': [1, 2].map((uuid) => ({ uuid, name: 'x', version: '1', owner: 'a\nb' })),
  });
  const { run } = await cli(t, { SLIPWAY_URL: url });
  const { stderr } = await run(['show', 'x']);
  t.is(stderr.split('\n').length, 5, stderr);
});

for (const wanted of ['~show', 'nobody', 'shown@9', 'ffffffff', '00000000-0000-4000-8000-000000000000']) {
  test(`an image that is not there is told the same way: ${wanted}`, async (t) => {
    const { run } = await cli(t, asAdmin());
    const { code, stdout, stderr } = await run(['show', wanted]);
    t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    t.true(stderr.startsWith(`slipway: there is no image "${wanted}"\nhint: "slipway list --state all"`), stderr);
  });
}

// --- channels

test('channels are listed, and a server without them says so', async (t) => {
  const channels = [
    { name: 'staging', description: 'for tests' },
    { name: 'release', description: 'for all', default: true },
  ];
  const { url } = await startDaemon(t, { config: { channels } });
  const { run } = await cli(t, { SLIPWAY_URL: url });
  t.is(
    (await run(['channels'])).stdout,
    'NAME     DEFAULT  DESCRIPTION\nstaging  -        for tests\nrelease  yes      for all\n',
  );
  t.deepEqual(JSON.parse((await run(['channels', '-j'])).stdout), channels);
  t.is((await run(['channels', '-H'])).stdout.split('\n').length, 3);
  t.like(await run(['channels', '--url', daemon().url]), { code: 1, stderr: 'slipway: this server has no channels\n' });
});

// --- help

test('help goes to standard output, and the program knows its version', async (t) => {
  const { run } = await cli(t);
  const { code, stdout: help, stderr } = await run(['--help']);
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  t.is((await run(['-h'])).stdout, help);
  t.regex((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  t.true((await run(['token', 'revoke', '--help'])).stdout.includes('Usage: slipway token revoke'));
});

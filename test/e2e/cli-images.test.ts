import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { run as runHere } from '../../cli/run.js';
import { OTHER, OWNER } from '../imgapi/manifests.js';
import { anImage, cli, sharedDaemon } from '../support/cli.js';
import { startDaemon } from '../support/daemon.js';
import { remote } from '../support/remote.js';
import { terminal } from '../support/terminal.js';

const daemon = sharedDaemon(test);
const asAdmin = () => ({ SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: daemon().token });

const imageOf = async (uuid: string) => (await daemon().ask('GET', `/images/${uuid}`, { as: 'admin' })).json;
const listed = async (query: string) => (await daemon().ask('GET', `/images?state=all&${query}`, { as: 'admin' })).list;

const KIND = ['--os', 'other', '--type', 'other'];
const line = ({ uuid, name, version, state }: Record<string, unknown>, outcome = state) =>
  `${uuid}  ${name}@${version}  ${outcome}\n`;

// --- create

test('create makes an image of options, and prints its uuid', async (t) => {
  const { run } = await cli(t, asAdmin());
  const options = [
    ...['create', '--name', 'made', '--version', '1.0.0', '--os', 'linux', '--type', 'zvol', '--public'],
    ...['--description', 'of options', '--homepage', 'https://example.com', '--acl', OTHER],
    ...['--tag', 'role=db', '--tag', 'a.b=c=d', '--requirement', 'min_ram=512', '--requirement', 'networks.net0=x'],
    ...['--nic-driver', 'virtio', '--disk-driver', 'virtio', '--cpu-type', 'host', '--image-size', '1024'],
  ];
  const { code, stdout, stderr } = await run(options);
  t.is(stderr, '');
  t.is(code, 0);
  t.regex(stdout, /^[0-9a-f-]{36}\n$/);
  t.like(await imageOf(stdout.trim()), {
    name: 'made',
    version: '1.0.0',
    state: 'unactivated',
    os: 'linux',
    type: 'zvol',
    public: true,
    acl: [OTHER],
    description: 'of options',
    homepage: 'https://example.com',
    tags: { role: 'db', 'a.b': 'c=d' },
    requirements: { min_ram: 512, networks: [{ name: 'net0', description: 'x' }] },
    nic_driver: 'virtio',
    image_size: 1024,
  });
});

test('create reads a manifest from a file or standard input; options go before it, tags are put together', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  const manifest = { name: 'read', version: '1', os: 'other', type: 'other', tags: { a: 1, b: [2] } };
  await writeFile(join(home, 'a.manifest'), JSON.stringify(manifest));
  const fromFile = await run(['create', '-m', 'a.manifest', '--version', '2', '--tag', 'a=x', '--json']);
  t.like(JSON.parse(fromFile.stdout), { name: 'read', version: '2', tags: { a: 'x', b: [2] } });
  const fromInput = await run(['create', '-m', '-'], { input: JSON.stringify(manifest) });
  t.like(await imageOf(fromInput.stdout.trim()), { name: 'read', version: '1', tags: { a: 1, b: [2] } });
});

test('create keeps the uuid of a manifest, once; --new-uuid makes another image of it', async (t) => {
  const { run } = await cli(t, asAdmin());
  const uuid = randomUUID();
  const published = '2020-01-02T03:04:05.000Z';
  const manifest = { v: 2, uuid, name: 'kept', version: '1', os: 'other', type: 'other', public: true };
  const input = JSON.stringify({ ...manifest, state: 'active', published_at: published, files: [] });
  t.is((await run(['create', '-m', '-'], { input })).stdout, `${uuid}\n`);
  t.is((await imageOf(uuid)).published_at, published);

  const again = await run(['create', '-m', '-'], { input });
  t.is(again.code, 1);
  t.is(again.stdout, '');
  t.regex(again.stderr, /already.*\nhint: /s);

  const other = await run(['create', '-m', '-', '--new-uuid'], { input });
  t.is(other.code, 0);
  t.not(other.stdout.trim(), uuid);
  t.is((await imageOf(other.stdout.trim())).published_at, undefined);
});

test('create says which fields are refused, and makes nothing', async (t) => {
  const { run } = await cli(t, asAdmin());
  const { code, stdout, stderr } = await run(['create', '--name', 'refused', '--version', 'a b', '--os', 'dos']);
  t.is(code, 1);
  t.is(stdout, '');
  for (const field of ['version', 'os', 'type']) t.regex(stderr, new RegExp(`^ {2}${field}: `, 'm'));
  t.deepEqual(await listed('name=refused'), []);
});

const unreadable: [what: string, content: string | undefined, message: RegExp][] = [
  ['that is not there', undefined, /^slipway: x\.manifest: does not exist\n/],
  ['that is no JSON', '{"name": ', /^slipway: x\.manifest holds no JSON: /],
  ['that is no object', '["name"]', /^slipway: x\.manifest holds no manifest: a JSON object is needed\n/],
  ['that is far too large', `"${'x'.repeat(1024 ** 2)}"`, /^slipway: x\.manifest has more than 1048576 bytes\n/],
];

for (const [what, content, message] of unreadable) {
  test(`a manifest ${what} is refused`, async (t) => {
    const { run, home } = await cli(t, asAdmin());
    if (content !== undefined) await writeFile(join(home, 'x.manifest'), content);
    const { code, stderr } = await run(['create', '-m', 'x.manifest']);
    t.is(code, 1);
    t.regex(stderr, message);
  });
}

// --- activate, disable, enable

test('disable and enable change several images, named in any way', async (t) => {
  const [a, b] = [await anImage(daemon(), { name: 'switched' }), await anImage(daemon(), { name: 'switched-too' })];
  const { run } = await cli(t, asAdmin());
  t.deepEqual(await run(['disable', 'switched@1.0.0', b.uuid.slice(0, 13)]), {
    code: 0,
    signal: null,
    stdout: line(a, 'disabled') + line(b, 'disabled'),
    stderr: '',
  });
  t.is((await imageOf(b.uuid)).state, 'disabled');
  const enabled = await run(['enable', 'switched', a.uuid, '--json']);
  t.is(JSON.parse(enabled.stdout).state, 'active', 'what is named twice is changed once');
});

test('activate refuses what has no file, and says what to do', async (t) => {
  const { run } = await cli(t, asAdmin());
  const uuid = (await run(['create', '--name', 'empty', '--version', '1', ...KIND])).stdout.trim();
  const refused = await run(['activate', 'empty']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /hint: add a file with "slipway upload"/);
  await daemon().ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'the bytes' });
  t.is((await run(['activate', 'empty'])).stdout, `${uuid}  empty@1  active\n`);
});

test('a name that nobody has stops a command before it has changed anything', async (t) => {
  const { uuid } = await anImage(daemon(), { name: 'untouched' });
  const { run } = await cli(t, asAdmin());
  for (const command of ['disable', 'delete']) {
    const { code, stdout, stderr } = await run([command, 'untouched', 'not-there']);
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, /there is no image "not-there"/);
  }
  t.is((await imageOf(uuid)).state, 'active');
});

// --- update

test('update changes what is named, and leaves the rest', async (t) => {
  const tags = { role: 'web', zone: 'a' };
  const image = await anImage(daemon(), { name: 'updated', tags, homepage: 'https://example.com' });
  const { run } = await cli(t, asAdmin());
  const changed = ['--description', 'new', '--tag', 'role=db', '--requirement', 'min_ram=1', '--private'];
  t.is((await run(['update', 'updated', ...changed])).stdout, line(image));
  const after = await imageOf(image.uuid);
  t.like(after, { description: 'new', tags: { role: 'db', zone: 'a' }, requirements: { min_ram: 1 }, public: false });
  t.is(after.homepage, 'https://example.com');

  const unset = ['--unset', 'homepage', '--unset', 'tags.zone', '--requirement', 'max_ram=2'];
  t.is((await run(['update', 'updated', ...unset])).code, 0);
  const left = await imageOf(image.uuid);
  t.deepEqual([left.tags, left.requirements, left.homepage], [{ role: 'db' }, { min_ram: 1, max_ram: 2 }, undefined]);

  const input = JSON.stringify({ tags: { only: true } });
  const json = await run(['update', 'updated', '-m', '-', '--tag', 'more=x', '--json'], { input });
  t.deepEqual(JSON.parse(json.stdout).tags, { only: true, more: 'x' });
});

const noUpdates: [what: string, args: string[], message: RegExp][] = [
  ['nothing', [], /there is nothing to change\nhint: /],
  ['a field that nobody knows', ['--unset', 'colour'], /a manifest has no field "colour"\nhint: /],
  ['a field that has to be there', ['--unset', 'name'], /\n {2}name: /],
  ['a value that is refused', ['--homepage', 'gopher://x'], /\n {2}homepage: must be an http or https URL/],
  ['a size that is no number', ['--image-size', '1G'], /--image-size has to be a number of MiB, not "1G"/],
  ['a type, which stays', ['--type', 'lxd'], /unknown option '--type'/],
];

for (const [what, args, message] of noUpdates) {
  test(`update refuses ${what}`, async (t) => {
    const { uuid } = await anImage(daemon());
    const before = await imageOf(uuid);
    const { run } = await cli(t, asAdmin());
    const { code, stdout, stderr } = await run(['update', uuid, ...args]);
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.deepEqual(await imageOf(uuid), before);
  });
}

// --- acl

test('acl lets accounts in, lists them, and puts them out', async (t) => {
  const image = await anImage(daemon(), { name: 'shared', public: false });
  const { run } = await cli(t, asAdmin());
  t.is((await run(['acl', 'list', 'shared'])).stdout, '');
  t.is((await run(['acl', 'add', 'shared', OWNER, OTHER])).stdout, line(image));
  t.is((await run(['acl', 'list', 'shared'])).stdout, `${OWNER}\n${OTHER}\n`);
  t.is((await run(['acl', 'remove', 'shared', OWNER])).code, 0);
  t.deepEqual(JSON.parse((await run(['acl', 'list', 'shared', '--json'])).stdout), [OTHER]);
  const refused = await run(['acl', 'add', 'shared', 'alice']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /not an array of uuids/);
  t.deepEqual((await imageOf(image.uuid)).acl, [OTHER]);
});

// --- icon

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100, 7)]);

test('icon sets an icon, fetches it and deletes it', async (t) => {
  const image = await anImage(daemon(), { name: 'painted' });
  const { run, home } = await cli(t, asAdmin());
  await writeFile(join(home, 'x.png'), PNG);
  t.is((await run(['icon', 'set', 'painted', 'x.png'])).stdout, line(image));
  t.is((await daemon().ask('GET', `/images/${image.uuid}/icon`)).headers['content-type'], 'image/png');
  t.is((await run(['icon', 'get', 'painted'])).stdout, 'painted-1.0.0.png\n');
  t.deepEqual(await readFile(join(home, 'painted-1.0.0.png')), PNG);
  t.regex((await run(['icon', 'get', 'painted', '-O', '-'])).stdout, /PNG/);

  await writeFile(join(home, 'x.png'), 'mine');
  const existing = await run(['icon', 'get', 'painted', '-O', 'x.png']);
  t.is(existing.code, 1);
  t.is(existing.stderr, 'slipway: x.png exists already\nhint: --force replaces it\n');
  t.is(await readFile(join(home, 'x.png'), 'utf8'), 'mine');
  t.is((await run(['icon', 'get', 'painted', '-O', 'x.png', '--force'])).code, 0);
  t.deepEqual(await readFile(join(home, 'x.png')), PNG);

  t.is((await run(['icon', 'delete', 'painted'])).code, 0);
  t.is((await run(['icon', 'get', 'painted'])).code, 1);
  t.is((await imageOf(image.uuid)).icon, undefined);
});

test('icon takes pictures of a modest size only', async (t) => {
  const { uuid } = await anImage(daemon());
  const { run } = await cli(t, asAdmin());
  const text = await run(['icon', 'set', uuid, '-'], { input: 'a poem' });
  t.is(text.code, 1);
  t.regex(text.stderr, /hint: an icon is a PNG, JPEG or GIF file/);
  const large = await run(['icon', 'set', uuid, '-'], { input: Buffer.concat([PNG, Buffer.alloc(128 * 1024)]) });
  t.is(large.code, 1);
  t.regex(large.stderr, /^slipway: the icon has 131180 bytes, of which 131072 are allowed$/m);
  t.is((await imageOf(uuid)).icon, undefined);
});

test('icon of a server that never ends is given up', async (t) => {
  const uuid = randomUUID();
  const { url } = await remote(t, {
    [`GET /images/${uuid}`]: { uuid, name: 'painted', version: '1' },
    [`GET /images/${uuid}/icon`]: (_, response) => {
      const more = () => response.write(Buffer.alloc(1024 ** 2), (error) => error || more());
      more();
    },
  });
  const { run, home } = await cli(t, { SLIPWAY_URL: url });
  const { code, stderr } = await run(['icon', 'get', uuid]);
  t.deepEqual({ code, stderr }, { code: 1, stderr: 'slipway: the icon has more than 16777216 bytes\n' });
  t.deepEqual(await readdir(home), []);
});

// --- channels

test('an image comes into one more channel, leaves one, and is deleted from all', async (t) => {
  const channels = [{ name: 'dev', description: 'x', default: true }, { name: 'release' }];
  const own = await startDaemon(t, { config: { channels } });
  const { run } = await cli(t, { SLIPWAY_URL: own.url, SLIPWAY_TOKEN: own.token });
  const uuid = (await run(['create', '--name', 'moved', '--version', '1', ...KIND])).stdout.trim();
  const wrong = await run(['channel-add', 'moved', 'nowhere']);
  t.is(wrong.code, 1);
  t.regex(wrong.stderr, /one of dev, release/);
  const added = { code: 0, signal: null, stdout: `${uuid}  moved@1  in dev, release\n`, stderr: '' };
  t.deepEqual(await run(['channel-add', 'moved', 'release']), added);
  const left = await run(['delete', 'moved', '--channel', 'release', '--yes']);
  t.is(left.stdout, `${uuid}  moved@1  left the channel\n`);
  t.is((await run(['show', uuid, '--channel', 'release'])).code, 1);

  await run(['channel-add', 'moved', 'release']);
  t.is((await run(['delete', 'moved', '--all-channels', '--yes'])).stdout, `${uuid}  moved@1  deleted\n`);
  t.is((await run(['show', uuid, '--channel', '*'])).code, 1);
});

// --- delete

test('delete asks for --yes where there is no terminal to ask on', async (t) => {
  const { uuid } = await anImage(daemon(), { name: 'precious' });
  const { run } = await cli(t, asAdmin());
  const { code, stderr } = await run(['delete', 'precious']);
  t.is(code, 1);
  t.regex(stderr, /nothing was deleted: there is no terminal to ask on\nhint: say --yes/);
  t.is((await imageOf(uuid)).state, 'active');
});

test('delete deletes several images', async (t) => {
  const [a, b] = [await anImage(daemon(), { name: 'going' }), await anImage(daemon(), { name: 'going-too' })];
  const { run } = await cli(t, asAdmin());
  const { stdout, code } = await run(['delete', 'going', 'going-too', '--yes']);
  t.is(stdout, line(a, 'deleted') + line(b, 'deleted'));
  t.is(code, 0);
  t.is((await daemon().ask('GET', `/images/${b.uuid}`)).status, 404);
});

test('delete refuses what others build on, and says what to do', async (t) => {
  const { uuid } = await anImage(daemon(), { name: 'origin' });
  await anImage(daemon(), { name: 'child', origin: uuid });
  const { run } = await cli(t, asAdmin());
  const { code, stderr } = await run(['delete', 'origin', '--yes']);
  t.is(code, 1);
  t.regex(stderr, /hint: delete or move the images that have this one as their origin first/);
  t.is((await imageOf(uuid)).state, 'active');
});

test('delete asks on a terminal', async (t) => {
  const image = await anImage(daemon(), { name: 'asked' });
  const { home } = await cli(t);
  const signal = new AbortController().signal;
  const attended = () => {
    const at = terminal();
    const env = { ...asAdmin(), HOME: home };
    return { at, ended: (...args: string[]) => runHere(args, { io: at.io, env, signal, version: '0' }) };
  };

  const no = attended();
  const kept = no.ended('delete', 'asked');
  await no.at.answer('Delete? [y/N] ', '');
  t.is(await kept, 1);
  t.regex(no.at.err(), new RegExp(`${image.uuid} {2}asked@1.0.0`));
  t.is((await imageOf(image.uuid)).state, 'active');

  const yes = attended();
  const deleted = yes.ended('delete', 'asked');
  await yes.at.answer('Delete? [y/N] ', 'y');
  t.is(await deleted, 0);
  t.is(yes.at.out(), line(image, 'deleted'));
  t.is((await daemon().ask('GET', `/images/${image.uuid}`)).status, 404);
});

// --- all of them

const UUID = '11111111-2222-4333-8444-555555555555';
const everything: string[][] = [
  ['create', '--name', 'x', '--version', '1', ...KIND],
  ['upload', 'file', '--name', 'x', '--version', '1', ...KIND],
  ['upload', 'file', '--uuid', UUID],
  ['activate', UUID],
  ['disable', UUID],
  ['enable', UUID],
  ['update', UUID, '--name', 'y'],
  ['acl', 'add', UUID, OWNER],
  ['acl', 'remove', UUID, OWNER],
  ['icon', 'set', UUID, 'icon'],
  ['icon', 'delete', UUID],
  ['channel-add', UUID, 'dev'],
  ['delete', UUID, '--yes'],
];
const reading = [
  ['download', UUID],
  ['icon', 'get', UUID],
  ['acl', 'list', UUID],
];

test('without a server every command says so, with exit code 3', async (t) => {
  // a port that nobody is given by chance
  const { run, home } = await cli(t, { SLIPWAY_URL: 'http://127.0.0.1:1' });
  await writeFile(join(home, 'file'), 'the bytes');
  await writeFile(join(home, 'icon'), PNG);
  for (const args of [...everything, ...reading]) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 3, args.join(' '));
    t.is(stdout, '');
    t.regex(stderr, /^slipway: 127\.0\.0\.1:\d+ can not be reached: nobody listens there\nhint: /);
  }
});

test('who is not logged in changes nothing, with exit code 4', async (t) => {
  const { uuid } = await anImage(daemon());
  const before = await imageOf(uuid);
  const { run, home } = await cli(t, { SLIPWAY_URL: daemon().url });
  await writeFile(join(home, 'file'), 'the bytes');
  await writeFile(join(home, 'icon'), PNG);
  for (const args of everything) {
    const { code, stderr } = await run(args.map((word) => (word === UUID ? uuid : word)));
    t.is(code, 4, `${args.join(' ')}: ${stderr}`);
    t.regex(stderr, /\nhint: log in with "slipway login"/);
  }
  t.deepEqual(await imageOf(uuid), before);
});

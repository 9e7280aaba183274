import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { userUuid } from '../../server/model/user.js';
import { commandLineOf } from '../support/command-line.js';
import { addUser } from '../support/fixtures.js';
import { scratch } from '../support/scratch.js';
import { sample, startServer } from '../support/server.js';

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });

/** North and south, with images that are active and bound to north. */
async function fleet(t: ExecutionContext, ...names: string[]) {
  const server = await startServer(t);
  const { slipway } = commandLineOf(server, server.token);
  for (const dc of ['north', 'south']) await slipway(['dc', 'create', dc]);
  for (const name of names) {
    const input = JSON.stringify({ ...sample('dc'), name, public: false });
    const made = await slipway(['image', 'create', name, '-m', '-', '--dc', 'north', '-j'], { input });
    const { uuid } = JSON.parse(made.stdout);
    await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: name });
    await server.ask('POST', `/images/${uuid}?action=activate`);
  }
  const shown = async (...args: string[]) => JSON.parse((await slipway([...args, '-j'])).stdout);
  return { server, slipway, shown };
}

test('an image is registered from a manifest, shown, changed and deleted', async (t) => {
  const { slipway, shown } = await fleet(t, 'base');
  t.like(await shown('image', 'show', 'base'), {
    name: 'base',
    access: 3,
    dc_bound: true,
    dcs: ['north'],
    state: 'active',
  });
  const update = [
    'image',
    'update',
    'base',
    '--access',
    'public',
    '--alias',
    'Base',
    '--version',
    '2',
    '--tags',
    'a,b',
  ];
  t.deepEqual(await slipway([...update, '--resize', '--golden', '--desc', '']), done('image base is changed\n'));
  const changed = { access: 1, alias: 'Base', version: '2', tags: ['a', 'b'], resize: true, golden: true };
  t.like(await shown('image', 'show', 'base'), changed);
  t.regex((await slipway(['image', 'show', 'base'])).stdout, /^access +public$/m, 'people read words');
  t.regex(
    (await slipway(['image', 'list', '-H'])).stdout,
    /^base +Base +2 +public +admin +smartos +zone-dataset +- +ok /,
  );
  t.deepEqual(await slipway(['image', 'update', 'base', '--no-resize', '--tags', '']), done('image base is changed\n'));
  t.like(await shown('image', 'show', 'base'), { resize: false, tags: [], golden: true });
  t.like(await slipway(['image', 'update', 'base', '--access', 'secret']), { code: 1, stdout: '' });
  t.like(await slipway(['image', 'delete', 'base']), { code: 1, stdout: '' }, 'nobody is there to ask');
  t.deepEqual(await slipway(['image', 'delete', 'base', '--yes']), done('image base is deleted\n'));
  t.like(await slipway(['image', 'show', 'base']), { code: 1, stdout: '' });
});

test('what an image comes from is told with what comes from it, and its homepage is set', async (t) => {
  const { slipway, shown, server } = await fleet(t, 'base');
  const { uuid } = await shown('image', 'show', 'base');
  const input = JSON.stringify({ ...sample('dc'), name: 'web', public: false, origin: uuid });
  await slipway(['image', 'create', 'web', '-m', '-', '--dc', 'north'], { input });
  t.like(await shown('image', 'lineage', 'base'), { origins: [], descendants: [{ name: 'web' }], more: false });
  t.like(await shown('image', 'lineage', 'web'), { origins: [{ uuid, image: { name: 'base' } }], descendants: [] });
  t.regex((await slipway(['image', 'lineage', 'web'])).stdout, new RegExp(uuid));
  const told = await slipway(['image', 'update', 'base', '--homepage', 'https://example.com']);
  t.deepEqual(told, done('image base is changed\n'));
  t.like(await shown('image', 'show', 'base'), { homepage: 'https://example.com' });
  t.like(await slipway(['image', 'update', 'base', '--homepage', 'nowhere']), { code: 1, stdout: '' });
  await slipway(['image', 'update', 'base', '--homepage', '']);
  t.like(await shown('image', 'show', 'base'), { homepage: null });
  const vm = '3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11';
  await server.ask('PUT', `/api/vm/${vm}`, {
    body: { hostname: 'web1', dc: 'north', images: [{ disk: 1, image: uuid }] },
    as: 'admin',
  });
  t.regex((await slipway(['vm', 'list', '--image', uuid, '-H'])).stdout, new RegExp(`^${vm} +web1 `));
});

test('who manages the images of several data centers says to which a new one belongs', async (t) => {
  const { slipway, server } = await fleet(t);
  const { headers } = await addUser(server, 'alice');
  await slipway(['group', 'create', 'images', '--permissions', 'admin,image_admin', '--users', 'alice']);
  for (const dc of ['north', 'south']) await slipway(['dc', 'add-group', dc, 'images']);
  const alice = commandLineOf(server, headers.authorization.slice('Bearer '.length));
  const create = ['create', '--name', 'base', '--version', '1', '--os', 'smartos', '--type', 'zone-dataset'];
  const without = await alice.slipway(create);
  t.like(without, { code: 1, stdout: '' });
  t.regex(without.stderr, /dc is missing: it is one of north, south/);
  t.like(await alice.slipway([...create, '--dc', 'main']), { code: 1, stdout: '' });
  const { code, stdout } = await alice.slipway([...create, '--dc', 'south']);
  t.is(code, 0);
  t.is((await slipway(['dc', 'images', 'south', '-H'])).stdout.split('\n').length, 2);
  t.regex((await alice.slipway(['image', 'show', stdout.trim()])).stdout, /^dcs +south$/m);
  const uploaded = await alice.slipway(
    ['upload', '-', '--quiet', '--dc', 'north', '--name', 'web', ...create.slice(3)],
    { input: 'the bytes' },
  );
  t.is(uploaded.code, 0, uploaded.stderr);
  t.is((await slipway(['dc', 'images', 'north', '-H'])).stdout.split('\n').length, 2);
});

test('lists are narrowed by what they are asked for', async (t) => {
  const { slipway } = await fleet(t, 'base', 'web', 'old');
  await slipway(['image', 'label', 'base', 'star']);
  await slipway(['image', 'deprecate', 'old']);
  await slipway(['image', 'update', 'web', '--access', 'public']);
  const names = async (...args: string[]) => {
    const { stdout, stderr } = await slipway(['image', 'list', '--csv', '-H', ...args]);
    t.is(stderr, '');
    return stdout.split('\n').flatMap((line) => line.split(',')[0] || []);
  };
  t.deepEqual(await names(), ['base', 'old', 'web']);
  t.deepEqual(await names('--label', 'star'), ['base']);
  t.deepEqual(await names('--label', 'none'), ['old', 'web']);
  t.deepEqual(await names('--deprecated', 'true'), ['old']);
  t.deepEqual(await names('--deprecated', 'false'), ['base', 'web']);
  t.deepEqual(await names('--access', 'public'), ['web']);
  t.deepEqual(await names('--ostype', 'sunos-zone', '-s', '-name'), ['web', 'old', 'base']);
  t.deepEqual(await names('--ostype', 'linux'), []);
  t.deepEqual(await names('--search', 'we'), ['web']);
  t.deepEqual(await names('--limit', '1', '--offset', '1'), ['old']);
  t.deepEqual(await names('--dc', 'south'), []);
});

test('an image is labelled, deprecated and shared, and each of it can be undone', async (t) => {
  const { slipway, shown } = await fleet(t, 'base', 'web');
  t.deepEqual(await slipway(['image', 'label', 'base', 'flag-blue']), done('image base has label flag-blue\n'));
  t.like(await shown('image', 'show', 'base'), { label: 'flag-blue' });
  t.like(await slipway(['image', 'label', 'base', 'pink']), { code: 1, stdout: '' });
  t.deepEqual(await slipway(['image', 'unlabel', 'base']), done('image base has no label\n'));
  t.like(await shown('image', 'show', 'base'), { label: null });
  const deprecate = ['image', 'deprecate', 'base', '--reason', 'too old', '--replacement', 'web'];
  t.deepEqual(await slipway(deprecate), done('image base is deprecated\n'));
  const { uuid } = await shown('image', 'show', 'web');
  t.like((await shown('image', 'show', 'base')).deprecated, { by: 'admin', reason: 'too old', replacement: uuid });
  t.deepEqual(await slipway(['image', 'undeprecate', 'base']), done('image base is deprecated no more\n'));
  t.like(await shown('image', 'show', 'base'), { deprecated: null });
  await slipway(['group', 'create', 'dev']);
  t.deepEqual(await slipway(['image', 'share', 'base', '--groups', 'dev']), done('image base is shared as you say\n'));
  t.deepEqual((await shown('image', 'show', 'base')).groups, ['dev']);
  await slipway(['image', 'share', 'base', '--groups', '*']);
  t.is((await shown('image', 'show', 'base')).groups, null);
});

test('an image is attached and detached, as an image of its own or of a data center', async (t) => {
  const { slipway, shown } = await fleet(t, 'base');
  t.deepEqual(await slipway(['dc', 'attach', 'south', 'base']), done('image base is attached to south\n'));
  t.like(await slipway(['image', 'attach', 'base', 'south']), { code: 1, stdout: '' });
  t.like(await shown('image', 'show', 'base'), { dc_bound: false, dcs: ['north', 'south'] });
  t.regex((await slipway(['dc', 'images', 'south'])).stdout, /^NAME +ALIAS .*\nbase +base +/);
  t.like(await shown('dc', 'image', 'south', 'base'), { name: 'base' });
  t.deepEqual(await slipway(['image', 'detach', 'base', 'south']), done('image base is detached from south\n'));
  t.is((await slipway(['dc', 'images', 'south', '-H'])).stdout, '');
});

test('a machine keeps its images, until it is forgotten', async (t) => {
  const { slipway, shown } = await fleet(t, 'base');
  const vm = userUuid('a machine');
  const disks = join(await scratch(t), 'disks.json');
  await writeFile(disks, '[{"disk": 1, "image": "base"}]');
  const register = [
    'vm',
    'register',
    vm,
    '--hostname',
    'web1',
    '--dc',
    'north',
    '--state',
    'paused',
    '--images',
    disks,
  ];
  t.deepEqual(await slipway(register), done(`machine ${vm} is registered\n`));
  t.regex((await slipway(['image', 'vms', 'base'])).stdout, new RegExp(`^UUID .*\\n${vm} +web1 +north +- +paused\\n$`));
  t.regex((await slipway(['vm', 'list', '--dc', 'north', '-H'])).stdout, new RegExp(`^${vm} +web1 `));
  t.like(await shown('vm', 'show', vm), { hostname: 'web1', state: 'paused' });
  const refused = await slipway(['image', 'delete', 'base', '--yes']);
  t.like(refused, { code: 1, stdout: '' });
  t.regex(refused.stderr, /web1.*\nhint: "slipway image vms IMAGE"/);
  t.like(await slipway(['vm', 'check-move', vm, 'south']), { code: 1, stdout: '' });
  await slipway(['dc', 'attach', 'south', 'base']);
  t.deepEqual(
    await slipway(['vm', 'check-move', vm, 'south']),
    done(`south has all images that machine ${vm} needs\n`),
  );
  t.deepEqual(await slipway(['vm', 'forget', vm]), done(`machine ${vm} is forgotten\n`));
  t.is((await slipway(['vm', 'list', '-H'])).stdout, '');
  t.deepEqual(await slipway(['image', 'delete', 'base', '--yes']), done('image base is deleted\n'));
});

test('the picker shows what can be used now', async (t) => {
  const { slipway } = await fleet(t, 'base', 'old');
  await slipway(['image', 'deprecate', 'old']);
  t.regex(
    (await slipway(['picker', 'north'])).stdout,
    /^NAME +ALIAS +VERSION +OSTYPE .*\nbase +base +1.0.0 +SunOS zone +.*\n$/,
  );
  t.is((await slipway(['picker', 'north', '--ostype', 'linux', '-H'])).stdout, '');
  t.is((await slipway(['picker', 'south', '-H'])).stdout, '');
  t.like(await slipway(['picker', 'nowhere']), { code: 1, stdout: '' });
});

test('in bulk each image has a row, and one that is refused makes it a failure', async (t) => {
  const { slipway, shown } = await fleet(t, 'base', 'web', 'old');
  const all = await slipway(['image', 'bulk', 'label', 'base', 'web', '--label', 'star']);
  t.deepEqual(all, done('IMAGE  STATUS   DETAIL\nbase   SUCCESS  -\nweb    SUCCESS  -\n'));
  t.like(await shown('image', 'show', 'web'), { label: 'star' });
  t.is((await slipway(['image', 'bulk', 'unlabel', 'web'])).code, 0);
  t.like(await shown('image', 'show', 'web'), { label: null });

  const some = await slipway([
    'image',
    'bulk',
    'deprecate',
    'base',
    'nothing',
    'old',
    '--reason',
    'old',
    '--csv',
    '-H',
  ]);
  t.is(some.code, 1);
  t.regex(some.stdout, /^base,SUCCESS,-\nnothing,FAILURE,.*\nold,SUCCESS,-\n$/);
  t.regex(some.stderr, /^slipway: 1 of 3 images were refused\nhint: /);
  t.not((await shown('image', 'show', 'old')).deprecated, null, 'others are done');
  t.is((await slipway(['image', 'bulk', 'attach', 'base', 'web', '--dc', 'south'])).code, 0);
  t.is((await shown('dc', 'images', 'south')).length, 2);
  t.is((await slipway(['image', 'bulk', 'detach', 'base', '--dc', 'south'])).code, 0);
  t.is((await slipway(['image', 'bulk', 'access', 'web', '--access', 'public'])).code, 0);
  const unasked = await slipway(['image', 'bulk', 'delete', 'base', 'old']);
  t.like(unasked, { code: 1, stdout: '' });
  t.regex(unasked.stderr, /^slipway: nothing was deleted: there is no terminal/);
  t.is((await shown('image', 'list')).length, 3, 'nothing is gone');
  t.is((await slipway(['image', 'bulk', 'delete', 'base', 'old', '--json', '--yes'])).code, 0);
  t.deepEqual(
    (await shown('image', 'list')).map(({ name, access }: { name: string; access: number }) => [name, access]),
    [['web', 1]],
  );
});

test('a bulk change that is not waited for leaves the name of its task, which can be waited for', async (t) => {
  const { slipway, shown } = await fleet(t, 'base');
  const { code, stdout } = await slipway(['image', 'bulk', 'label', 'base', '--label', 'bug', '--no-wait']);
  t.is(code, 0);
  const id = stdout.trim();
  t.deepEqual(await shown('task', 'wait', id), [{ image: 'base', status: 'SUCCESS', code: null, detail: null }]);
  t.like(await shown('task', 'show', id), { status: 'SUCCESS', user: 'admin' });
  t.regex((await slipway(['task', 'list', '-H'])).stdout, new RegExp(`^${id} `));
  t.is((await slipway(['task', 'list', '-H', '--status', 'FAILURE'])).stdout, '');
  const late = await slipway(['task', 'cancel', id]);
  t.like(late, { code: 1, stdout: '' });
  t.regex(late.stderr, /can not be cancelled any more/);
});

test('images are named by uuid, the beginning of one, NAME@VERSION, or the name that management gave them', async (t) => {
  const { slipway, shown } = await fleet(t, 'base', 'web');
  const input = JSON.stringify({ ...sample('dc'), name: 'base', version: '2.0.0', public: false });
  await slipway(['image', 'create', 'second', '-m', '-', '--dc', 'north'], { input });
  const all: { name: string; uuid: string }[] = await shown('image', 'list');
  const [base, second, web] = ['base', 'second', 'web'].map((name) => all.find((one) => one.name === name)?.uuid);
  for (const [wanted, uuid] of [
    ['base@2.0.0', second],
    ['base@1.0.0', base],
    [String(second).slice(0, 13).toUpperCase(), second],
    ['base', base],
    ['second', second],
  ] as const) {
    t.like(await shown('image', 'show', wanted), { uuid }, wanted);
  }
  const note = `slipway: "base" is ${base} (base@1.0.0, managed as base), not ${second} (base@2.0.0, managed as second)\n`;
  t.is((await slipway(['image', 'show', 'base'])).stderr, note);
  t.is((await slipway(['image', 'show', 'base', '--dc', 'north'])).stderr, '', 'who says where is not told');

  const several = await slipway(['image', 'delete', 'base', '--yes']);
  t.like(several, { code: 1, stdout: '' });
  t.true(several.stderr.includes(String(base)) && several.stderr.includes(String(second)));
  t.regex(several.stderr, /"base" may be any of 2 images:\n/);
  t.like(await slipway(['image', 'bulk', 'delete', 'web', 'base', '--yes']), { code: 1, stdout: '' });
  t.is((await shown('image', 'list')).length, 3, 'nothing is gone');
  t.regex((await slipway(['image', 'show', 'base@3'])).stderr, /^slipway: there is no image "base@3"/);

  t.is((await slipway(['image', 'deprecate', 'web', '--replacement', 'base@2.0.0'])).code, 0);
  t.is((await shown('image', 'show', 'web')).deprecated.replacement, second);
  await slipway(['image', 'undeprecate', String(web).slice(0, 8)]);
  t.is((await shown('image', 'show', 'web')).deprecated, null);
  t.deepEqual(await slipway(['image', 'delete', 'base@2.0.0', '--yes']), done('image base@2.0.0 is deleted\n'));
  t.deepEqual(
    (await shown('image', 'list')).map(({ name }: { name: string }) => name),
    ['base', 'web'],
  );
});

test('the disks of a machine are a list of images, or a file of them', async (t) => {
  const { slipway, shown } = await fleet(t, 'base', 'web');
  const all: { name: string; uuid: string }[] = await shown('image', 'list');
  const [base, web] = ['base', 'web'].map((name) => all.find((one) => one.name === name)?.uuid);
  const vm = userUuid('another machine');
  const register = (images: string) =>
    slipway(['vm', 'register', vm, '--hostname', 'web1', '--dc', 'north', '--images', images]);
  t.deepEqual(await register('base@1.0.0, web'), done(`machine ${vm} is registered\n`));
  t.deepEqual((await shown('vm', 'show', vm)).images, [
    { disk: 1, image: base, size: null },
    { disk: 2, image: web, size: null },
  ]);
  t.like(await register('base,nothing'), { code: 1, stdout: '' });
  const absent = await register('disks.json');
  t.like(absent, { code: 1, stdout: '' });
  t.regex(absent.stderr, /^slipway: disks.json: does not exist/);
  t.is((await shown('vm', 'show', vm)).images.length, 2, 'as it was');
});

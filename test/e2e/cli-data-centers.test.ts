import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Cli, cli } from '../support/cli.js';
import { type Daemon, startDaemon } from '../support/daemon.js';

/** Each command has to be done, and say nothing but what it is asked for. */
async function says(t: ExecutionContext, { run }: Cli, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  t.is(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Somebody who administers the images of a data center of their own. */
async function imageAdmin(t: ExecutionContext, daemon: Daemon, admin: Cli, name: string, dc: string): Promise<Cli> {
  await says(t, admin, 'dc', 'create', dc);
  await says(t, admin, 'user', 'create', name);
  await says(t, admin, 'group', 'create', `${dc}-images`, '--permissions', 'admin,image_admin', '--users', name);
  await says(t, admin, 'dc', 'add-group', dc, `${dc}-images`);
  const token = (await says(t, admin, 'token', 'create', 'cli', '--for', name)).trim();
  return cli(t, { SLIPWAY_URL: daemon.url, SLIPWAY_TOKEN: token });
}

/** What a node of this data center is given as the source of its images. */
async function sourceOf(t: ExecutionContext, admin: Cli, node: string, dc: string): Promise<string> {
  await says(t, admin, 'node', 'create', node, '--dcs', dc, '--addresses', '127.0.0.1');
  return (await says(t, admin, 'node', 'token', 'create', node, 'imgadm')).trim();
}

test('two data centers, an image in one: the other sees nothing of it', async (t) => {
  const daemon = await startDaemon(t);
  const admin = await cli(t, { SLIPWAY_URL: daemon.url, SLIPWAY_TOKEN: daemon.token });
  const alice = await imageAdmin(t, daemon, admin, 'alice', 'north');
  const bob = await imageAdmin(t, daemon, admin, 'bob', 'south');

  await writeFile(join(alice.home, 'base.img'), 'the bytes');
  const manifest = ['--name', 'base', '--version', '1.0.0', '--os', 'other', '--type', 'other'];
  const uuid = (await says(t, alice, 'upload', 'base.img', '--quiet', ...manifest)).trim();
  t.regex(await says(t, alice, 'image', 'list', '-H'), /^base +base +1.0.0 +private +alice /);
  t.is(await says(t, alice, 'list', '-H', '-o', 'uuid'), `${uuid}\n`);
  const again = await alice.run(['upload', 'base.img', ...manifest.with(3, '1.1.0')]);
  t.is(again.stderr, `slipway: "slipway image" and "slipway dc" know this image as base-${again.stdout.slice(0, 8)}\n`);
  await says(t, alice, 'image', 'delete', `base-${again.stdout.slice(0, 8)}`, '--yes');
  t.regex(await says(t, alice, 'dc', 'images', 'north', '-H'), /^base /);

  t.is(await says(t, bob, 'image', 'list', '-H'), '');
  t.is(await says(t, bob, 'list', '-H', '--state', 'all'), '');
  t.is(await says(t, bob, 'dc', 'images', 'south', '-H'), '');
  t.is(await says(t, bob, 'dc', 'list', '-H'), 'south  south  admin  -  -\n');
  for (const name of ['base', uuid]) {
    const absent = name === uuid ? uuid.replace(/^.{8}/, '00000000') : 'nothing';
    for (const command of [['image', 'show'], ['image', 'delete', '--yes'], ['image', 'vms'], ['show']]) {
      const hidden = await bob.run([...command, name]);
      const other = await bob.run([...command, absent]);
      t.like(hidden, { code: 1, stdout: '' });
      t.is(hidden.stderr.replaceAll(name, absent), other.stderr, `${command.join(' ')} ${name}`);
    }
  }
  for (const dc of ['north', 'nowhere']) {
    const { code, stderr } = await bob.run(['dc', 'images', dc]);
    t.is(code, 1);
    t.is(stderr.replaceAll(dc, 'DC'), (await bob.run(['dc', 'images', 'DC'])).stderr);
  }

  const nobody = await cli(t);
  const north = await sourceOf(t, admin, 'node1', 'north');
  const south = await sourceOf(t, admin, 'node2', 'south');
  t.is(await says(t, nobody, 'list', '-H', '-o', 'uuid', '--url', north), `${uuid}\n`);
  t.is(await says(t, nobody, 'list', '-H', '-o', 'uuid', '--url', south), '');
  t.is(await says(t, nobody, 'list', '-H', '-o', 'uuid', '--url', daemon.url), '');
  await mkdir(join(nobody.home, 'down'));
  await says(t, nobody, 'download', uuid, '-O', 'down', '--quiet', '--url', north);
  t.is(await readFile(join(nobody.home, 'down', 'base-1.0.0.img'), 'utf8'), 'the bytes');
  t.like(await nobody.run(['download', uuid, '-O', '-', '--url', south]), { code: 1, stdout: '' });

  await says(t, admin, 'dc', 'attach', 'south', uuid);
  t.is(await says(t, nobody, 'list', '-H', '-o', 'uuid', '--url', south), `${uuid}\n`);
  t.regex(await says(t, bob, 'dc', 'images', 'south', '-H'), /^base /);
  await says(t, admin, 'node', 'token', 'revoke', 'node2', 'imgadm');
  t.is((await nobody.run(['list', '--url', south])).code, 4);
});

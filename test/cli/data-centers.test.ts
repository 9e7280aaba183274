import test, { type ExecutionContext } from 'ava';
import { type CommandLine, commandLineOf } from '../support/command-line.js';
import { addUser } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { sshKey } from '../support/ssh-keys.js';

async function fleet(t: ExecutionContext): Promise<CommandLine & { server: TestServer }> {
  const server = await startServer(t);
  return { server, ...commandLineOf(server, server.token) };
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });

/** What a command that shows something as JSON has shown. */
const shown = async ({ slipway }: Pick<CommandLine, 'slipway'>, ...args: string[]) =>
  JSON.parse((await slipway([...args, '-j'])).stdout);

test('data centers are made, listed, shown, changed and deleted', async (t) => {
  const { slipway, server } = await fleet(t);
  await addUser(server, 'alice');
  t.deepEqual(
    await slipway(['dc', 'create', 'north', '--owner', 'alice', '--location', 'oslo']),
    done('data center north is made\n'),
  );
  const table =
    'NAME   ALIAS  OWNER  LOCATION  DESCRIPTION\nmain   main   admin  -         -\nnorth  north  alice  oslo      -\n';
  t.deepEqual(await slipway(['dc', 'list']), done(table));
  t.deepEqual(await slipway(['dc', 'list', '--search', 'osl', '-H']), done('north  north  alice  oslo  -\n'));
  t.deepEqual(
    await slipway(['dc', 'list', '--csv', '-s', '-name']),
    done('name,alias,owner,location,description\nnorth,north,alice,oslo,-\nmain,main,admin,-,-\n'),
  );
  t.regex(
    (await slipway(['dc', 'list', '-s', 'colour'])).stderr,
    /^slipway: order_by is not one of .*"colour"\nhint: /,
  );
  t.deepEqual(await slipway(['dc', 'update', 'north', '--alias', 'The North']), done('data center north is changed\n'));
  t.like(await shown({ slipway }, 'dc', 'show', 'north'), { alias: 'The North', owner: 'alice', location: 'oslo' });
  t.regex((await slipway(['dc', 'show', 'north'])).stdout, /^name +north\nalias +The North\n/);
  t.deepEqual(await slipway(['dc', 'delete', 'north']), {
    code: 1,
    stdout: '',
    stderr: 'slipway: nothing was deleted: there is no terminal to ask on\nhint: say --yes where nobody is asked\n',
  });
  t.deepEqual(await slipway(['dc', 'delete', 'north', '--yes']), done('data center north is deleted\n'));
  t.like(await slipway(['dc', 'show', 'north']), { code: 1, stdout: '' });
});

test('what a data center can not be is told with its fields', async (t) => {
  const { slipway } = await fleet(t);
  const { code, stdout, stderr } = await slipway(['dc', 'create', 'north', '--owner', 'nobody', '--location', 'a<b']);
  t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  t.regex(stderr, /location holds a character/);
  t.like(await slipway(['dc', 'create', 'north', '--owner', 'nobody']), { code: 1, stdout: '' });
  t.like(await slipway(['dc', 'show', 'north']), { code: 1, stdout: '' });
  t.like(await slipway(['dc', 'create', 'north', '--colour', 'red']), { code: 1, stdout: '' });
});

test('groups have permissions where they are attached, and members that come and go', async (t) => {
  const { slipway, server } = await fleet(t);
  for (const name of ['alice', 'bob']) await addUser(server, name);
  await slipway(['dc', 'create', 'north']);
  const create = ['group', 'create', 'images', '--permissions', 'admin,image_admin', '--users', 'alice'];
  t.deepEqual(await slipway(create), done('group images is made\n'));
  t.deepEqual(
    await slipway(['dc', 'add-group', 'north', 'images']),
    done('group images has its permissions in north\n'),
  );
  t.regex((await slipway(['dc', 'groups', 'north', '-H'])).stdout, /^images +images +admin,image_admin +alice\n$/);
  t.deepEqual(
    await slipway(['group', 'add-member', 'images', 'bob', 'alice']),
    done('bob is in images\nalice is in images\n'),
  );
  t.deepEqual((await shown({ slipway }, 'group', 'show', 'images')).users, ['alice', 'bob']);
  t.deepEqual(await slipway(['group', 'remove-member', 'images', 'alice']), done('alice is not in images\n'));
  t.deepEqual((await shown({ slipway }, 'group', 'show', 'images')).users, ['bob']);
  t.like(await slipway(['group', 'add-member', 'images', 'carol']), { code: 1, stdout: '' });
  t.deepEqual((await shown({ slipway }, 'group', 'show', 'images')).users, ['bob'], 'nothing of it was done');
  t.deepEqual(await slipway(['group', 'update', 'images', '--users', '']), done('group images is changed\n'));
  t.deepEqual((await shown({ slipway }, 'group', 'show', 'images')).users, []);
  t.deepEqual(
    await slipway(['dc', 'remove-group', 'north', 'images']),
    done('group images has no permissions in north\n'),
  );
  t.is((await slipway(['dc', 'groups', 'north', '-H'])).stdout, '');
  t.deepEqual(await slipway(['group', 'delete', 'images', '-y']), done('group images is deleted\n'));
});

test('users are made with switches, and have keys, passwords and sessions', async (t) => {
  const { slipway, server } = await fleet(t);
  const create = ['user', 'create', 'alice', '--display-name', 'Alice', '--email', 'alice@example.com'];
  t.deepEqual(await slipway(create), done('user alice is made\n'));
  t.regex((await slipway(['user', 'list', '-H'])).stdout, /^alice +Alice +alice@example.com +yes +yes +no$/m);
  t.deepEqual(
    await slipway(['user', 'update', 'alice', '--no-active', '--super-admin']),
    done('user alice is changed\n'),
  );
  t.like(await shown({ slipway }, 'user', 'show', 'alice'), { active: false, super_admin: true, api_access: true });
  await slipway(['user', 'update', 'alice', '--active']);

  const input = 'correct horse battery\n';
  t.like(await slipway(['user', 'password', 'alice'], { input }), { code: 1, stdout: '' }, 'nobody is there to ask');
  t.deepEqual(
    await slipway(['user', 'password', 'alice', '--stdin'], { input }),
    done('the password of alice is set\n'),
  );
  const { status, json } = await server.ask('POST', '/api/accounts/login', {
    body: { username: 'alice', password: input.trim() },
    as: 'anonymous',
  });
  t.is(status, 200);
  const alice = commandLineOf(server, String(json.token));
  t.like(await shown(alice, 'whoami'), { name: 'alice' });
  t.is((await shown({ slipway }, 'user', 'sessions', 'alice')).length, 1);
  t.deepEqual(await slipway(['user', 'end-sessions', 'alice']), done('alice is logged out everywhere\n'));
  t.like(await alice.slipway(['whoami']), { code: 4, stdout: '' });
  const again = await server.ask('POST', '/api/accounts/login', {
    body: { username: 'alice', password: input.trim() },
    as: 'anonymous',
  });
  const [{ id }] = (await shown({ slipway }, 'user', 'sessions', 'alice')) as unknown as [{ id: string }];
  t.is((await slipway(['user', 'end-session', 'alice', id])).stdout, `session ${id} of alice is ended\n`);
  t.like(await commandLineOf(server, String(again.json.token)).slipway(['whoami']), { code: 4, stdout: '' });
  t.deepEqual(await slipway(['user', 'delete', 'alice', '-y']), done('user alice is deleted\n'));
  t.like(await slipway(['user', 'show', 'alice']), { code: 1, stdout: '' });
});

test('an ssh key is read from its file', async (t) => {
  const { slipway } = await fleet(t);
  await slipway(['user', 'create', 'alice']);
  const input = sshKey('ed25519').line;
  t.like(await slipway(['user', 'add-key', 'alice', 'laptop', 'nowhere.pub']), { code: 1, stdout: '' });
  t.deepEqual(
    await slipway(['user', 'add-key', 'alice', 'laptop', '-'], { input }),
    done('key laptop of alice is added\n'),
  );
  t.regex((await slipway(['user', 'keys', 'alice'])).stdout, /^TITLE +FINGERPRINT +ADDED\nlaptop +\S+ +\S+Z\n$/);
  t.deepEqual(await slipway(['user', 'remove-key', 'alice', 'laptop']), done('key laptop of alice is removed\n'));
  t.is((await slipway(['user', 'keys', 'alice', '-H'])).stdout, '');
});

test('the token of a node is printed as the URL of its images, once', async (t) => {
  const { slipway, server } = await fleet(t);
  await slipway(['dc', 'create', 'north']);
  t.deepEqual(await slipway(['node', 'create', 'node1', '--dcs', 'north,main']), done('node node1 is made\n'));
  t.deepEqual((await shown({ slipway }, 'node', 'show', 'node1')).dcs, ['main', 'north']);
  const made = await slipway(['node', 'token', 'create', 'node1', 'imgadm']);
  t.is(made.code, 0);
  t.regex(made.stderr, /publicUrl is not set/);
  t.true(made.stdout.startsWith(`${server.url}/n/`));
  const listed = await slipway(['node', 'token', 'list', 'node1', '-H']);
  t.regex(listed.stdout, /^imgadm +\S+Z /);
  t.false((listed.stdout + made.stderr).includes(made.stdout.trim()));
  t.deepEqual(
    await slipway(['node', 'token', 'revoke', 'node1', 'imgadm']),
    done('token imgadm of node1 is revoked\n'),
  );
  t.is((await slipway(['node', 'token', 'list', 'node1', '-H'])).stdout, '');
});

test('settings are shown and set, those of main where no data center is named', async (t) => {
  const { slipway } = await fleet(t);
  await slipway(['dc', 'create', 'north']);
  const set = await slipway(['settings', 'set', '--dc', 'north', 'VMS_IMAGE_LIMIT=20', 'anonymous=true']);
  t.is(set.code, 0);
  t.like(await shown({ slipway }, 'settings', 'show', '--dc', 'north'), { VMS_IMAGE_LIMIT: 20, anonymous: true });
  t.like(await shown({ slipway }, 'dc', 'settings', 'north'), { VMS_IMAGE_LIMIT: 20 });
  t.like(await shown({ slipway }, 'settings', 'set', 'VMS_IMAGE_LIMIT=null'), { VMS_IMAGE_LIMIT: null });
  t.like(await shown({ slipway }, 'settings', 'show', 'north'), { VMS_IMAGE_LIMIT: 20 });
  t.regex((await slipway(['settings', 'show'])).stdout, /^VMS_IMAGE_VM +this server$/m);
  t.regex((await slipway(['settings', 'set', 'VMS_IMAGE_VM='])).stdout, /^VMS_IMAGE_VM +none: records only$/m);
  t.regex((await slipway(['dc', 'settings', 'north'])).stdout, /^VMS_IMAGE_VM +none: records only$/m);
  await slipway(['settings', 'set', 'VMS_IMAGE_VM=null']);
  t.like(await slipway(['settings', 'show', 'north', '--dc', 'main']), { code: 1, stdout: '' });
  const unknown = await slipway(['settings', 'set', 'VMS_IMAGE_LIMT=1', 'anonymous=true']);
  t.like(unknown, { code: 1, stdout: '' });
  t.regex(unknown.stderr, /^slipway: there is no setting "VMS_IMAGE_LIMT"; did you mean VMS_IMAGE_LIMIT\?\nhint: /);
  t.like(await shown({ slipway }, 'settings', 'show'), { VMS_IMAGE_LIMIT: null }, 'nothing is set');
  t.like(await slipway(['settings', 'set', 'VMS_IMAGE_LIMIT']), { code: 1, stdout: '' });
  t.like(await slipway(['settings', 'set', 'dc=north']), { code: 1, stdout: '' });
});

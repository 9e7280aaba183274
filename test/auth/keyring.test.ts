import { writeFileSync } from 'node:fs';
import { chmod, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Keyring, openKeyring } from '../../server/auth/keyring.js';
import { users, userUuid } from '../../server/model/user.js';
import { enrolKeyUsers } from '../../server/operations/enrol-key-users.js';
import { watchFiles } from '../../server/watch-files.js';
import { openCatalog } from '../../storage/open.js';
import { gate } from '../support/gate.js';
import { keptLog } from '../support/log.js';
import { scratch } from '../support/scratch.js';
import { sshKey } from '../support/ssh-keys.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const [rsa, ed25519, ecdsa] = (['rsa', 'ed25519', 'ecdsa-256'] as const).map((kind) => sshKey(kind).line) as [
  string,
  string,
  string,
];

interface Given {
  authKeys?: Record<string, string[]>;
  /** Below the directory of keys. */
  files?: Record<string, string>;
}

async function opened(t: ExecutionContext, { authKeys = {}, files = {} }: Given = {}) {
  const directory = join(await scratch(t), 'authkeys');
  const { log, lines } = keptLog();
  const catalog = await openCatalog({ kind: 'memory' });
  t.teardown(() => catalog.close());
  const write = async (name: string, text: string) => {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const keyring = await openKeyring({
    authKeys,
    directory,
    enrol: (names) => enrolKeyUsers(catalog, names, NOW),
    // so rarely that only the test reloads
    watch: (paths, changed) => watchFiles(paths, changed, 600_000),
    log,
  });
  t.teardown(() => keyring.close());
  const warnings = () => lines.filter(({ level }) => Number(level) >= 40);
  return { directory, catalog, keyring, lines, warnings, write };
}

const types = (keyring: Keyring, user: string) =>
  keyring.keysOf(user).map(({ object }) => object.asymmetricKeyType as string);

test('the directory is made at the start, for its owner only, so that one sees where keys go', async (t) => {
  const { directory } = await opened(t);
  t.is((await stat(directory)).mode & 0o777, 0o700);
});

test('keys of one user from every place come together, in order, each once', async (t) => {
  const { keyring, warnings } = await opened(t, {
    authKeys: { ops: [rsa], other: [ecdsa] },
    files: {
      'ops.keys': `# mine\n\n${rsa} the same again\n`,
      'local/ops.keys': `${ed25519} laptop\r\n`,
      'manta/ops.keys': ecdsa,
      'manta/third.keys': `\n\n${ed25519}`,
    },
  });
  t.deepEqual(types(keyring, 'ops'), ['rsa', 'ed25519', 'ec']);
  t.deepEqual(types(keyring, 'other'), ['ec']);
  t.deepEqual(types(keyring, 'third'), ['ed25519']);
  t.deepEqual(warnings(), []);
});

test('users whom nobody knows have no keys, whatever they are called', async (t) => {
  const { keyring } = await opened(t, { authKeys: { ops: [rsa] } });
  for (const name of ['', 'nobody', 'OPS', 'ops ', '__proto__', 'constructor', 'toString', '../ops']) {
    t.deepEqual(keyring.keysOf(name), [], name);
  }
});

test('what is no key file is left alone', async (t) => {
  const { keyring, warnings, lines } = await opened(t, {
    files: { 'ops.keys~': rsa, 'ops.pub': rsa, README: 'hello', 'deeper/ops.keys': rsa, 'local/deeper/ops.keys': rsa },
  });
  t.deepEqual(keyring.keysOf('ops'), []);
  t.deepEqual(warnings(), []);
  t.like(lines.at(-1), { msg: 'keys loaded', users: 0, keys: 0 });
});

test('a broken file: the good keys work, and each bad line is named', async (t) => {
  const { directory, keyring, warnings } = await opened(t, {
    files: { 'ops.keys': `${rsa}\nssh-rsa AAAA\n${ed25519}\nssh-rsa ${'A'.repeat(40)}\n` },
  });
  t.deepEqual(types(keyring, 'ops'), ['rsa', 'ed25519']);
  t.deepEqual(
    warnings().map(({ msg, file, line }) => ({ msg, file, line })),
    [2, 4].map((line) => ({ msg: 'key ignored', file: join(directory, 'ops.keys'), line })),
  );
  for (const { reason } of warnings()) t.is(reason, 'the key is cut short or damaged');
});

test('a bad key of the configuration is named by where it stands there', async (t) => {
  const { keyring, warnings } = await opened(t, { authKeys: { ops: [rsa, 'nonsense'] } });
  t.deepEqual(types(keyring, 'ops'), ['rsa']);
  t.like(warnings()[0], { msg: 'key ignored', file: 'authKeys.ops in the configuration', line: 2 });
});

test('a file that is something else says so in a few lines', async (t) => {
  const { keyring, warnings } = await opened(t, { files: { 'ops.keys': 'no key\n'.repeat(5000) } });
  t.deepEqual(keyring.keysOf('ops'), []);
  t.is(warnings().length, 11);
  t.like(warnings().at(-1), { more: 4990 });
});

test('what can not be read is named, and the others work', async (t) => {
  const { directory, keyring, warnings, write } = await opened(t, { files: { 'good.keys': rsa } });
  await mkdir(join(directory, 'directory.keys'));
  await symlink('circle.keys', join(directory, 'circle.keys'));
  await symlink('nowhere', join(directory, 'dangling.keys'));
  await write('large.keys', '#'.repeat(300_000));
  await keyring.reload();
  t.deepEqual(types(keyring, 'good'), ['rsa']);
  t.deepEqual(
    new Set(warnings().map(({ file }) => file)),
    new Set(['circle', 'dangling', 'directory', 'large'].map((name) => join(directory, `${name}.keys`))),
  );
});

test('a link to a file elsewhere is followed', async (t) => {
  const { directory, keyring } = await opened(t);
  const elsewhere = join(await scratch(t), 'authorized_keys');
  await writeFile(elsewhere, rsa);
  await symlink(elsewhere, join(directory, 'ops.keys'));
  await keyring.reload();
  t.deepEqual(types(keyring, 'ops'), ['rsa']);
});

test('names that can not be those of users', async (t) => {
  const bad = ['a b', 'é', '.hidden', '-x', 'x'.repeat(65), 'a,b', 'a"b'];
  const good = ['ops', 'Ops', 'o', 'first.last@example.org', 'a_b-c', '1', '__proto__', 'constructor'];
  const { keyring, warnings, catalog } = await opened(t, {
    authKeys: Object.fromEntries([...bad, 'a/b', ''].map((name) => [name, [rsa]])),
    files: Object.fromEntries([
      ...bad.map((name) => [`${name}.keys`, rsa]),
      ...good.map((name) => [`${name}.keys`, rsa]),
    ]),
  });
  for (const name of good) t.deepEqual(types(keyring, name), ['rsa'], name);
  for (const name of [...bad, 'a/b', '']) t.deepEqual(keyring.keysOf(name), [], name);
  t.is(warnings().length, 2 * bad.length + 2);
  for await (const { name } of catalog.list(users)) t.true(good.includes(name), name);
});

test('no more keys of a user than a stranger may make us try', async (t) => {
  const many = Array.from({ length: 40 }, (_, n) => sshKey('ed25519', `number ${n}`).line);
  const { keyring, warnings } = await opened(t, { files: { 'ops.keys': [...many, ...many].join('\n') } });
  t.is(keyring.keysOf('ops').length, 32);
  t.like(warnings()[0], { user: 'ops', ignored: 8 });
});

test('whoever has keys is an operator, unless he was somebody before', async (t) => {
  const { catalog, keyring, write, warnings, lines } = await opened(t, { files: { 'ops.keys': rsa } });
  t.deepEqual(await catalog.get(users, userUuid('ops')), {
    uuid: userUuid('ops'),
    name: 'ops',
    superAdmin: true,
    created: NOW.toISOString(),
  });
  t.true(lines.some(({ users: names }) => Array.isArray(names) && names.includes('ops')));

  const created = '2020-01-01T00:00:00.000Z';
  const plain = { uuid: userUuid('plain'), name: 'plain', superAdmin: false, created };
  const gone = { uuid: userUuid('gone'), name: 'gone', superAdmin: false, created, inactive: true as const };
  const renamed = { uuid: userUuid('before'), name: 'after', superAdmin: false, created };
  await catalog.write(async (tx) => {
    for (const user of [plain, gone, renamed]) await tx.insert(users, user);
  });
  for (const name of ['plain', 'gone', 'before']) await write(`${name}.keys`, ed25519);
  await keyring.reload();
  for (const user of [plain, gone, renamed]) t.deepEqual(await catalog.get(users, user.uuid), user, 'left as it was');
  t.deepEqual(
    warnings().map(({ user, reason }) => [user, reason]),
    [
      ['gone', 'the user is inactive'],
      ['before', `its uuid ${userUuid('before')} belongs to the user after`],
    ],
  );
});

test('a user whose keys are gone stays, without keys', async (t) => {
  const { directory, catalog, keyring } = await opened(t, { files: { 'ops.keys': rsa } });
  await rm(join(directory, 'ops.keys'));
  await keyring.reload();
  t.deepEqual(keyring.keysOf('ops'), []);
  t.truthy(await catalog.get(users, userUuid('ops')));
});

test('without a directory any more there are the keys of the configuration', async (t) => {
  const { directory, keyring } = await opened(t, { authKeys: { ops: [rsa] }, files: { 'other.keys': rsa } });
  await rm(directory, { recursive: true });
  await keyring.reload();
  t.deepEqual(types(keyring, 'ops'), ['rsa']);
  t.deepEqual(keyring.keysOf('other'), []);
});

test('a reload that fails keeps the keys from before, and the next one mends it', async (t) => {
  const { directory, keyring, lines, write } = await opened(t, { files: { 'ops.keys': rsa } });
  // what should be a directory is a file
  await writeFile(join(directory, 'local'), '');
  await write('new.keys', ed25519);
  await t.throwsAsync(keyring.reload(), { code: 'ENOTDIR' });
  await keyring.refresh();
  t.like(lines.at(-1), { level: 50, msg: 'the keys could not be read again; those from before stay' });
  t.deepEqual(types(keyring, 'ops'), ['rsa']);
  t.deepEqual(keyring.keysOf('new'), []);
  await rm(join(directory, 'local'));
  await keyring.reload();
  t.deepEqual(types(keyring, 'new'), ['ed25519']);
});

test('keys whose users can not be recorded are not in force', async (t) => {
  const directory = join(await scratch(t), 'authkeys');
  let isBroken = false;
  const { log } = keptLog();
  const keyring = await openKeyring({
    authKeys: { ops: [rsa] },
    directory,
    enrol: async () => {
      if (isBroken) throw new Error('the disk is full');
      return { created: [], refused: [] };
    },
    watch: watchFiles,
    log,
  });
  t.teardown(() => keyring.close());
  isBroken = true;
  await writeFile(join(directory, 'new.keys'), ed25519);
  await t.throwsAsync(keyring.reload(), { message: 'the disk is full' });
  t.deepEqual(keyring.keysOf('new'), []);
  t.deepEqual(types(keyring, 'ops'), ['rsa']);
});

test('a reload takes in what was written before it was asked for, also behind one that is running', async (t) => {
  const { keyring, write } = await opened(t);
  for (let round = 0; round < 20; round += 1) {
    const running = keyring.reload();
    await write('ops.keys', round % 2 === 0 ? rsa : ed25519);
    const behind = [keyring.reload(), keyring.reload()];
    await Promise.all([running, ...behind]);
    t.deepEqual(types(keyring, 'ops'), [round % 2 === 0 ? 'rsa' : 'ed25519']);
  }
});

test('files that change are read again', async (t) => {
  const directory = join(await scratch(t), 'authkeys');
  const { opened: loaded, open } = gate();
  const keyring = await openKeyring({
    authKeys: {},
    directory,
    enrol: async (names) => {
      if (names.includes('ops')) open();
      return { created: [], refused: [] };
    },
    watch: (paths, changed) => watchFiles(paths, changed, 10),
    log: keptLog().log,
  });
  t.teardown(() => keyring.close());
  await mkdir(join(directory, 'local'));
  // whichever change the first look still misses, another follows
  let text = rsa;
  const writing = setInterval(() => {
    text += '\n';
    writeFileSync(join(directory, 'local', 'ops.keys'), text);
  }, 500);
  t.teardown(() => clearInterval(writing));
  await loaded;
  clearInterval(writing);
  await keyring.reload();
  t.deepEqual(types(keyring, 'ops'), ['rsa']);
});

test('a directory that can not be made stops the start', async (t) => {
  const parent = await scratch(t);
  await writeFile(join(parent, 'data'), '');
  const enrol = async () => ({ created: [], refused: [] });
  const options = { authKeys: {}, directory: join(parent, 'data', 'authkeys'), enrol, watch: watchFiles };
  await t.throwsAsync(openKeyring({ ...options, log: keptLog().log }), { code: 'ENOTDIR' });
});

test('the mode of a directory that is there is its owner’s business', async (t) => {
  const directory = join(await scratch(t), 'authkeys');
  await mkdir(directory);
  await chmod(directory, 0o750);
  const enrol = async () => ({ created: [], refused: [] });
  const keyring = await openKeyring({ authKeys: {}, directory, enrol, watch: watchFiles, log: keptLog().log });
  t.teardown(() => keyring.close());
  t.is((await stat(directory)).mode & 0o777, 0o750);
});

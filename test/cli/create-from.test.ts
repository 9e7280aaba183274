import ava from 'ava';
import { commandLineOf } from '../support/command-line.js';
import { NODE, startCreations } from '../support/creations.js';
import { isMet } from '../support/needs.js';

const lacking = (['sshd, to be talked to', 'zfs, to make a pool on a file'] as const).find((need) => !isMet[need]);
const test = lacking === undefined ? ava.serial : ava.serial.skip;
const why = lacking === undefined ? '' : ` (${lacking})`;

test(`snapshots are listed, taken and removed, and images made of them, from the command line${why}`, async (t) => {
  const world = await startCreations(t);
  const { server } = world;
  await world.machine({ alias: 'web', brand: 'bhyve', disks: 2 });
  const { slipway } = commandLineOf(server, server.token);
  const done = async (...words: string[]) => {
    const { code, stdout, stderr } = await slipway(words);
    t.is(code, 0, stderr);
    return { stdout, stderr };
  };
  t.is((await done('snapshot', 'take', `${NODE}/web@s2`, '--disk', '2')).stdout, `snapshot ${NODE}/web@s2 is taken\n`);
  const listed = (await done('snapshot', 'list', 'web', '--disk', '2', '--csv')).stdout;
  t.regex(listed, /^disk,name,created,used,status,task\n2,s1,.*,ok,-\n2,s2,.*,ok,-\n$/);

  const made = await done(
    'create-from',
    `${NODE}/web@s2`,
    'web-1',
    '--disk',
    '2',
    '--version',
    '3',
    '--compression',
    'xz',
  );
  t.is(made.stderr, 'slipway: warning: the image has disk 2 only: disk 1 of the machine did not come along\n');
  const { json } = await server.ask('GET', '/api/image/web-1', { as: 'admin' });
  t.like(json.result, { uuid: made.stdout.trim(), version: '3', golden: true });

  const unwaited = await done('create-from', 'web@now', 'web-2', '--take', '--no-wait', '--no-golden');
  await done('task', 'wait', unwaited.stdout.trim());
  t.like((await server.ask('GET', '/api/image/web-2', { as: 'admin' })).json.result, { golden: false });

  const refused: [words: string[], told: RegExp][] = [
    [['create-from', 'web', 'x'], /names no snapshot.*\n.*VM@SNAPSHOT/],
    [['create-from', 'web@none', 'x'], /has no snapshot "none"/],
    [['create-from', 'other/web@s1', 'x'], /there is no machine "web"/],
    [['snapshot', 'remove', 'web@s2'], /nothing was deleted: there is no terminal/],
    [['snapshot', 'list', '/web'], /not of the form/],
    [['snapshot', 'take', 'web@s1', '--disk', 'x'], /has to be a number/],
  ];
  for (const [words, expected] of refused) {
    const { code, stderr } = await slipway(words);
    t.is(code, 1, words.join(' '));
    t.regex(stderr, expected);
  }
  await done('snapshot', 'remove', 'web@s2', '--disk', '2', '--yes');
  t.is((await done('snapshot', 'list', 'web', '--csv', '--no-header')).stdout.split('\n').length, 3);
  t.like(await world.left(), { uses: [], holds: [], held: [], taken: [] });
});

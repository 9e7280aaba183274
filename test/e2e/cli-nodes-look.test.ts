import { setTimeout as pause } from 'node:timers/promises';
import ava from 'ava';
import { anImage, cli } from '../support/cli.js';
import { startDaemon } from '../support/daemon.js';
import { numbered } from '../support/fixtures.js';
import { startTalkingNode, tells, zone } from '../support/inventories.js';
import { isMet } from '../support/needs.js';

const test = isMet['sshd, to be talked to'] ? ava : ava.skip;

test('a node is let in, checked, looked at and refreshed; by itself too', async (t) => {
  const daemon = await startDaemon(t, { args: ['--inventory-every', '10'] });
  const { run } = await cli(t, { SLIPWAY_URL: daemon.url, SLIPWAY_TOKEN: daemon.token });
  const done = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(words);
    t.is(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const key = (await done('node', 'key')).trim();
  t.regex(await done('node', 'key', '--url', daemon.url, '--from', '10.0.0.1'), /^restrict,from="10\.0\.0\.1" ssh-/);
  const node = await startTalkingNode(t, key);
  const { uuid } = await anImage(daemon, { name: 'web' });
  await tells(t, node, [zone(numbered(1), 'web1', uuid)]);
  const { port, user } = node.sshd;

  await done('node', 'add', 'n1', '--dcs', 'main');
  const bare = await run(['node', 'check', 'n1']);
  t.is(bare.code, 1);
  t.regex(bare.stderr, /address: nobody has said how it is reached by ssh[\s\S]*slipway node set n1 --address HOST/);
  t.is((await run(['node', 'refresh', 'n1'])).code, 1);
  await done('node', 'set', 'n1', '--address', '127.0.0.1', '--port', `${port}`, '--ssh-user', user);
  const checked = await run(['node', 'check', 'n1']);
  t.is(checked.code, 1);
  t.regex(checked.stdout, /^CHECK +OK +FOUND +ADVICE\npublicUrl +no /);
  t.regex(checked.stdout, /\nlogin +yes /);
  t.regex(checked.stderr, /publicUrl is not set/);

  t.regex(await done('node', 'refresh', 'n1'), /^machines +1\ncame +[01]\nwent +0\nimages +0\n/);
  t.regex(await done('node', 'list'), /\nn1 +main +yes +\S+ +smartos +20240111T000000Z +1 /);
  t.regex(await done('node', 'show', 'n1'), /\nonline +yes\n[\s\S]*\nmachines +1\n/);
  t.regex(
    await done('node', 'vms', 'n1'),
    /\n00000000-0000-4000-8000-000000000001 +web1 +main +- +active +inventory\n/,
  );
  t.regex((await run(['delete', uuid, '--yes'])).stderr, /is used by web1/);

  await tells(t, node, []);
  for (let left = 300; left > 0 && (await done('node', 'vms', 'n1', '--no-header')) !== ''; left -= 1) await pause(100);
  t.is(await done('node', 'vms', 'n1', '--no-header'), '', 'the schedule has found it gone');
  await done('delete', uuid, '--yes');
  await node.sshd.nothingRuns();
});

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava from 'ava';
import { makeKey } from '../../server/hypervisors/node-key.js';
import { ADMIN } from '../../server/model/user.js';
import { disk, lacking, type Shown, startDiskNode } from '../support/campaigns.js';
import { cli } from '../support/cli.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { gatedProxy } from '../support/gated-proxy.js';

const test = lacking === undefined ? ava : (ava.skip as unknown as typeof ava);
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

test(about('a campaign goes on after its server was killed, as the command line tells'), async (t) => {
  const config = { publicUrl: 'http://images.test' };
  const first = await startDaemon(t, { config });
  const env = (daemon: Daemon) => ({ SLIPWAY_URL: daemon.url, SLIPWAY_TOKEN: daemon.token });
  const { run } = await cli(t);
  const said: string[] = [];
  const slipway = async (daemon: Daemon, line: string, code = 0) => {
    const { code: ended, stdout, stderr } = await run(line.split(' '), { env: env(daemon) });
    t.is(ended, code, `${line}: ${stdout}${stderr}`);
    said.push(stdout, stderr);
    return stdout;
  };
  const key = await slipway(first, 'node key');
  const node = await startDiskNode(t, { port: 80, key: makeKey('nobody') });
  await writeFile(join(node.sshd.directory, 'authorized_keys'), key);
  const find = ({ port }: { port: number }) =>
    writeFile(join(node.home, '.curlrc'), `connect-to = "images.test:80:127.0.0.1:${port}"\n`);
  const between = await gatedProxy(t, first.port);
  await find(between);
  const way = `--address 127.0.0.1 --port ${node.sshd.port} --ssh-user ${node.sshd.user} --platform qemu`;
  await slipway(first, `node add one --dcs main ${way} --places ${node.place}`);

  const manifest = { ...disk, name: 'base', version: '1', owner: ADMIN.uuid, public: true };
  const { uuid } = (await first.ask('POST', '/images', { as: 'admin', body: manifest })).json;
  const file = randomBytes(4 << 20) as unknown as string;
  await first.ask('PUT', `/images/${uuid}/file?compression=none`, { as: 'admin', body: file });
  await first.ask('POST', `/images/${uuid}?action=activate`, { as: 'admin' });

  t.regex(await slipway(first, 'node sources one --push'), /ok.*http:\/\/images\.test\/n\/…/);
  t.regex(await slipway(first, 'node preflight one base'), /reaches +(true|yes)/);
  between.shutAfter(2 << 20);
  await slipway(first, 'campaign create all base --bandwidth 1000000 --no-wait');
  const show = async (daemon: Daemon) =>
    (await daemon.ask('GET', '/api/campaign/all', { as: 'admin' })).json.result as unknown as Shown;
  const until = async (daemon: Daemon, is: (shown: Shown) => boolean) => {
    for (const end = Date.now() + 60_000; !is(await show(daemon)); ) {
      if (Date.now() > end) throw new Error(`it takes too long: ${JSON.stringify(await show(daemon))}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await until(first, ({ nodes }) => (nodes[0]?.progress?.done ?? 0) > 0);
  const { stdout, stderr } = await first.kill('SIGKILL');
  said.push(stdout, stderr);

  const second = await startDaemon(t, { data: first.data, config });
  await find(second);
  await until(second, ({ state }) => state !== 'running');
  t.like(await show(second), { state: 'done', done: 1, total: 1 });
  t.deepEqual(await node.images(), [uuid]);
  t.deepEqual(await node.left(), []);
  t.regex(await slipway(second, 'campaign list'), /all +base +.*done/);
  t.regex(await slipway(second, 'campaign show all'), /one +done/);
  t.regex(await slipway(second, 'campaign retry all', 1), /^$/);
  t.regex(await slipway(second, 'campaign delete all --yes'), /campaign all is deleted/);
  const last = await second.kill('SIGTERM');
  said.push(last.stdout, last.stderr);
  const [own = ''] = await node.sources();
  const secret = own.split('/n/')[1] ?? '';
  t.regex(secret, /^slipway_/);
  t.false(said.join('').includes(secret), 'the token is told nowhere');
});

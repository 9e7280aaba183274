import test from 'ava';
import { takeSample } from '../../server/operations/take-sample.js';
import { commandLineOf } from '../support/command-line.js';
import { addNodeToken } from '../support/datacenters.js';
import { addImage, startFleet } from '../support/managed.js';
import { rememberRepository } from '../support/repositories.js';

const DAY = 86_400_000;

test('how the server stands is told in words, and as the server has it', async (t) => {
  let time = Date.parse('2030-06-15T00:00:00.000Z');
  let free = 1000 * 1024 ** 3;
  const space = async () => ({ free, size: 2 * 1024 ** 4 });
  const fleet = await startFleet(t, { now: () => new Date(time), space });
  const { slipway } = commandLineOf(fleet, fleet.token);
  const later = async (ms: number) => {
    time += ms;
    await fleet.deps.audit.flush();
    await takeSample(fleet.deps);
  };
  await later(0);
  t.is(
    (await slipway(['overview'])).stdout,
    `images         0 images, 0 B
stored         0 B, 0 B saved by deduplication
disk           1000.0 GiB of 2.0 TiB free
transfers now  0 downloads, 0 uploads
last day       0 downloads (0 B), 0 uploads (0 B), 0 imports (0 B), 0 failed tasks
last week      0 downloads (0 B), 0 uploads (0 B), 0 imports (0 B), 0 failed tasks
tasks          0 running, 0 waiting
repositories   0 enabled, 0 stale
`,
  );
  for (let day = 0; day < 8; day += 1) {
    free -= 10 * 1024 ** 3;
    await later(DAY);
  }
  const uuid = await addImage(fleet, 'base');
  const node = await addNodeToken(fleet, 'n1', ['east']);
  for (let n = 0; n < 2; n += 1) await fleet.ask('GET', `/images/${uuid}/file`, { as: 'anonymous', headers: node });
  await rememberRepository(fleet, { name: 'rep', url: 'http://127.0.0.1:1', every: 60 }, []);
  await later(DAY / 2 + 1000);
  const { stdout } = await slipway(['overview']);
  t.is(
    stdout,
    `images         1 image, 9 B
stored         9 B, 0 B saved by deduplication
disk           920.0 GiB of 2.0 TiB free, full in 92 days as it goes
growth         +1 image, +9 B, +9 B stored in a day; +1 image, +9 B, +9 B stored in a week
transfers now  0 downloads, 0 uploads
last day       2 downloads (18 B), 1 upload (9 B), 0 imports (0 B), 0 failed tasks
last week      2 downloads (18 B), 1 upload (9 B), 0 imports (0 B), 0 failed tasks
tasks          0 running, 0 waiting
repositories   1 enabled, 1 stale

Busiest images of the last day:
NAME  VERSION  UUID                                  DOWNLOADS  BYTES
base  1.base   ${uuid}  2           18 B

Busiest nodes of the last day:
NAME  DOWNLOADS  BYTES
n1    2           18 B

Busiest images of the last week:
NAME  VERSION  UUID                                  DOWNLOADS  BYTES
base  1.base   ${uuid}  2           18 B

Busiest nodes of the last week:
NAME  DOWNLOADS  BYTES
n1    2           18 B

Stale repositories:
NAME  WHY  LAST_UPDATE               ERROR
rep   old  2030-06-23T00:00:00.000Z  -
`,
  );
  const json = JSON.parse((await slipway(['overview', '--json'])).stdout);
  t.deepEqual(json, (await fleet.root('GET', '/api/overview')).json.result);
  t.regex((await slipway(['overview', '--dc', 'west'])).stdout, /^images +0 images, 0 B\ngrowth /);
  t.like(await slipway(['overview', '--dc', 'none']), { code: 1, stdout: '' });

  const history = await slipway(['history', 'downloads', '--from', '2030-06-23', '--points', '2']);
  t.is(history.stdout, 'AT                        VALUE\n2030-06-23T00:00:00.000Z  0\n2030-06-23T06:05:00.000Z  2\n');
  t.regex((await slipway(['history', 'images', '--dc', 'east', '--csv', '-H'])).stdout, /^\S+,0\n(\S+,\d\n)+$/);
  t.regex((await slipway(['history', 'all'])).stderr, /what is not one of images, logical_bytes/);
});

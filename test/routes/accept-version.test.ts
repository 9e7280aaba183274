import test from 'ava';
import { docsRoutes } from '../../server/routes/docs.js';
import { routes } from '../../server/routes/table.js';
import { numbered } from '../support/fixtures.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';

const channels = [{ name: 'dev', description: '', default: true }];

const versions = table<'version' | 'status' | 'channels'>(`
  version         status  channels
  -               200     no
  ~1              200     no
  1               200     no
  1.0.0           200     no
  1.x             200     no
  ^1.0.0          200     no
  <2              200     no
  <=1             200     no
  ~2              200     yes
  2               200     yes
  2.0.0           200     yes
  *               200     yes
  x               200     yes
  >=1             200     yes
  >1              200     yes
  1 || 2          200     yes
  1.0.0 - 2.0.0   200     yes
  v2.0.0          200     yes
  ~99             400     no
  3.0.0           400     no
  0.9             400     no
  2.1             400     no
  >2              400     no
  <1              400     no
  foo             400     no
  1.0.0.0         400     no
  ,               400     no
  1, 2            400     no
`);

test('what can be asked for, and who sees channels', async (t) => {
  const { ask, image } = await startServer(t, { channels });
  const { uuid } = await image();
  for (const { version, status, channels: shown } of versions) {
    const headers = { 'accept-version': version };
    const { status: found, json } = await ask('GET', `/images/${uuid}`, { headers });
    t.is(found, Number(status), version);
    t.is(json.code, status === '400' ? 'InvalidVersion' : undefined, version);
    t.deepEqual(json.channels, shown === 'yes' ? ['dev'] : undefined, version);
  }
});

test('a version that is not offered is refused on every route but those for probes, before anything else', async (t) => {
  const { ask } = await startServer(t, { channels });
  const versioned = [...routes, ...docsRoutes(routes)].filter(({ auth }) => auth !== 'open');
  for (const { method, path } of versioned) {
    for (const uuid of [numbered(0), 'nonsense']) {
      const target = path.replace(':uuid', uuid).replace(':urn', 'base');
      for (const version of ['~99', 'foo']) {
        const headers = { 'accept-version': version, authorization: 'Bearer wrong' };
        const { status, json } = await ask(method, `${target}?channel=nope`, { headers, as: 'anonymous' });
        t.is(status, 400, `${method} ${target}`);
        // An answer to HEAD has no body to say it in.
        if (method !== 'HEAD') t.is(json.code, 'InvalidVersion', `${method} ${target}`);
      }
    }
  }
});

test('and changes nothing', async (t) => {
  const { ask, image, stored } = await startServer(t);
  const { uuid } = await image();
  const headers = { 'accept-version': '~99' };
  await ask('DELETE', `/images/${uuid}`, { headers });
  await ask('POST', `/images/${uuid}?action=disable`, { headers });
  t.is((await stored(uuid))?.state, 'active');
});

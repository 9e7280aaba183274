import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { sweep } from '../../server/operations/sweep.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { holders, kept, told } from '../support/told.js';

const modes: Mode[] = ['dc', 'public', 'private'];
const channels = [
  { name: 'dev', description: '', default: true },
  { name: 'release', description: '' },
  { name: 'support', description: '' },
];

const remove = ({ ask }: TestServer, uuid: string, query = '') => ask('DELETE', `/images/${uuid}${query}`);

const states = table<'file' | 'activate' | 'disabled'>(`
  file   activate  disabled
  -      false     false
  bytes  false     false
  bytes  true      false
  bytes  true      true
`);

for (const mode of modes) {
  test(`${mode}: an image is deleted in whatever state, and nothing is found of it`, async (t) => {
    const server = await startServer(t, { mode });
    for (const { file, activate, disabled } of states) {
      const other = await server.image({}, { file: 'other' });
      const image = { disabled: disabled === 'true' };
      const { uuid } = await server.image(image, { file: file || null, activate: activate === 'true' });
      await server.ask('PUT', `/images/${uuid}/icon`, { body: 'icon', headers: { 'content-type': 'image/png' } });
      const { status, bytes, headers } = await remove(server, uuid);
      t.is(status, 204);
      t.is(bytes.length, 0);
      t.is(headers['content-type'], undefined);
      t.is(headers.etag, undefined);
      for (const path of ['', '/file', '/icon', '/jobs']) {
        t.is((await server.ask('GET', `/images/${uuid}${path}`, { as: 'admin' })).status, 404, path);
      }
      const { list } = await server.ask('GET', '/images?state=all', { as: 'admin' });
      t.deepEqual(
        list.map((image) => image.uuid),
        [other.uuid],
      );
      t.is(told(await remove(server, uuid)), '404 ResourceNotFound', 'once');
      t.deepEqual((await holders(server)).flat(), [`${other.uuid}/file0`]);
      await remove(server, other.uuid);
    }
  });
}

test('of deletions at the same time one finds the image', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const answers = await Promise.all(Array.from({ length: 5 }, () => remove(server, uuid)));
  t.deepEqual(answers.map(told).sort(), ['204', ...Array(4).fill('404 ResourceNotFound')]);
});

test('a client may send a length of zero, or a body that nobody reads', async (t) => {
  const server = await startServer(t);
  for (const options of [{ headers: { 'content-length': '0' } }, { body: { force: true } }, { body: '{nonsense' }]) {
    const { uuid } = await server.image();
    t.is((await server.ask('DELETE', `/images/${uuid}`, options)).status, 204);
  }
});

test('the bytes go after their grace, counted from the deletion', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 3600 });
  const { uuid } = await server.image();
  time += 10 * 3_600_000;
  await remove(server, uuid);
  for (const [seconds, whole] of [
    [0, 1],
    [3599, 1],
    [1, 0],
  ] as const) {
    time += seconds * 1000;
    await sweep(server.deps);
    t.is((await kept(server)).whole, whole, `${seconds}`);
  }
  t.deepEqual(await holders(server), []);
});

test('who is reading the file of an image that is deleted and swept gets it to its end', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 0 });
  const file = 'x'.repeat(8_000_000);
  const { uuid } = await server.image({}, { file });
  const response = await fetch(`${server.url}/images/${uuid}/file`);
  await remove(server, uuid);
  time += 1000;
  await sweep(server.deps);
  t.is((await kept(server)).whole, 0);
  t.is((await response.text()).length, file.length);
});

// Dependents

test('an image that others come from stays, whatever their state', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const { uuid } = await server.image();
    for (const [manifest, options] of [
      [{}, { file: null }],
      [{}, { activate: false }],
      [{}, {}],
      [{ disabled: true }, {}],
    ] as const) {
      const child = await server.image({ ...manifest, origin: uuid }, options);
      const answer = await remove(server, uuid);
      t.is(told(answer), '422 ImageHasDependentImages', mode);
      t.true(answer.json.message?.includes(child.uuid));
      t.is(told(await remove(server, uuid, '?force=true')), '422 ImageHasDependentImages', 'no way around it');
      t.is((await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes.toString(), 'the bytes');
      t.is((await remove(server, child.uuid)).status, 204);
    }
    t.is((await remove(server, uuid)).status, 204, 'the last one has gone');
  }
});

test('only those that come from it directly are named', async (t) => {
  const server = await startServer(t);
  const base = await server.image();
  const middle = await server.image({ origin: base.uuid });
  const top = await server.image({ origin: middle.uuid });
  const { json } = await remove(server, base.uuid);
  t.true(json.message?.includes(middle.uuid));
  t.false(json.message?.includes(top.uuid));
});

const counts = table<'visible' | 'hidden' | 'named' | 'others'>(`
  visible  hidden  named  others
  1        0       1      -
  9        0       9      -
  10       0       5      5 others
  12       0       5      7 others
  0        1       0      1 others
  2        3       2      3 others
  9        1       5      5 others
`);

test('few dependents are named, of many some, of hidden ones the number', async (t) => {
  for (const { visible, hidden, named, others } of counts) {
    const server = await startServer(t);
    const user = await addUser(server, 'someone');
    const { uuid } = await server.image({ owner: user.uuid });
    const children: string[] = [];
    const add = async (count: string, isPublic: boolean) => {
      for (let n = Number(count); n > 0; n -= 1) {
        children.push((await server.image({ origin: uuid, public: isPublic })).uuid);
      }
    };
    await add(visible, true);
    await add(hidden, false);
    const { json } = await remove(server, uuid, `?account=${user.uuid}`);
    const message = String(json.message);
    const why = `${visible} and ${hidden}: ${message}`;
    t.is(json.code, 'ImageHasDependentImages');
    t.is(children.filter((child) => message.includes(child)).length, Number(named), why);
    t.false(
      children.slice(Number(visible)).some((child) => message.includes(child)),
      why,
    );
    t.is(/(\d+ others)/.exec(message)?.[1] ?? '', others, why);
  }
});

test('an image that comes while its origin goes: one of both is refused', async (t) => {
  const server = await startServer(t);
  for (let round = 0; round < 10; round += 1) {
    const { uuid } = await server.image();
    const body = { name: 'x', version: '1', os: 'smartos', type: 'zone-dataset', origin: uuid };
    const [deleted, created] = await Promise.all([remove(server, uuid), server.ask('POST', '/images', { body })]);
    const outcome = [told(deleted), told(created)].join(', ');
    t.true(['204, 422 OriginDoesNotExist', '422 ImageHasDependentImages, 200'].includes(outcome), outcome);
  }
});

// Who may

const order = table<'image' | 'account' | 'query' | 'told'>(`
  image      account  query                     told
  malformed  bad      &channel=x                404 ResourceNotFound
  absent     bad      &channel=x                422 ValidationFailed channel:Invalid
  absent     bad      -                         422 InvalidParameter account:Invalid
  absent     user     -                         404 ResourceNotFound
  hidden     user     -                         404 ResourceNotFound
  private    user     -                         404 ResourceNotFound
  shared     user     -                         422 NotImageOwner
  others     user     -                         422 NotImageOwner
  own        user     &force_all_channels=x     422 InvalidParameter force_all_channels:Invalid
  own        user     &force_all_channels=      422 InvalidParameter force_all_channels:Invalid
  own        user     &force_all_channels=1     422 InvalidParameter force_all_channels:Invalid
  own        user     &channel=*                422 ValidationFailed channel:Invalid
  own        user     &channel=release          404 ResourceNotFound
`);

test('the order of checks, and what stays after them', async (t) => {
  const server = await startServer(t, { channels });
  const user = await addUser(server, 'someone');
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    hidden: (await server.image({}, { file: null })).uuid,
    private: (await server.image({ public: false })).uuid,
    shared: (await server.image({ public: false, acl: [user.uuid] })).uuid,
    others: (await server.image()).uuid,
    own: (await server.image({ owner: user.uuid })).uuid,
  };
  const before = await kept(server);
  for (const { image, account, query, told: expected } of order) {
    const named: Record<string, string> = { user: user.uuid, bad: 'nonsense' };
    const answer = await remove(server, uuids[image]!, `?account=${named[account]}${query}`);
    t.is(told(answer), expected, [image, account, query].join(' '));
    t.deepEqual(await kept(server), before);
  }
  t.is((await remove(server, uuids.own!, `?account=${user.uuid}`)).status, 204);
});

// Channels

const fromChannels = table<'in' | 'query' | 'told' | 'left'>(`
  in               query                                      told                               left
  dev              -                                          204                                -
  dev release      -                                          204                                release
  dev release      ?channel=release                           204                                dev
  dev release support  ?channel=release                       204                                dev support
  dev release      ?force_all_channels=true                   204                                -
  dev release      ?channel=release&force_all_channels=true   204                                -
  dev release      ?force_all_channels=false                  204                                release
  dev release      ?channel=support                           404 ResourceNotFound               dev release
  dev release      ?channel=support&force_all_channels=true   404 ResourceNotFound               dev release
  release          -                                          404 ResourceNotFound               release
  dev release      ?channel=*                                 422 ValidationFailed channel:Invalid  dev release
  dev gone         -                                          204                                gone
`);

test('an image leaves the channel of the request, and goes with its last one', async (t) => {
  for (const { in: before, query, told: expected, left } of fromChannels) {
    const server = await startServer(t, { channels });
    const { uuid } = await server.image();
    await server.ask('POST', `/images/${uuid}?action=update`, { body: { channels: before.split(' ') } });
    const answer = await remove(server, uuid, query);
    t.is(told(answer), expected, `${before} ${query}`);
    t.is((await server.stored(uuid))?.channels?.join(' ') ?? '', left, `${before} ${query}`);
    t.deepEqual((await holders(server)).flat(), left ? [`${uuid}/file0`] : [], 'and its bytes with it');
  }
});

test('dependents in other channels do not hold it', async (t) => {
  const server = await startServer(t, { channels });
  const base = await server.image();
  await server.ask('POST', `/images/${base.uuid}?action=update`, { body: { channels: ['dev', 'release'] } });
  await importImage(server, { uuid: numbered(1), origin: base.uuid }, { query: '&channel=release' });
  t.is(told(await remove(server, base.uuid, '?channel=release')), '422 ImageHasDependentImages');
  t.is((await remove(server, base.uuid, '?channel=dev')).status, 204);
  t.deepEqual((await server.stored(base.uuid))?.channels, ['release']);
});

test('without channels there is nothing to force', async (t) => {
  const server = await startServer(t);
  for (const query of ['?force_all_channels=true', '?force_all_channels=false', '?channel=x', '?channel=*']) {
    const { uuid } = await server.image();
    t.is((await remove(server, uuid, query)).status, 204, query);
    t.deepEqual((await kept(server)).images, []);
  }
});

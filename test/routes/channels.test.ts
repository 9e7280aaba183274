import test from 'ava';
import type { Channel } from '../../imgapi/channels.js';
import { modes } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const channels = [
  { name: 'staging', description: 'almost there' },
  { name: 'dev', description: 'every build', default: true },
  { name: 'release', description: '' },
];

for (const mode of modes) {
  test(`mode ${mode}: lists the channels as they are configured`, async (t) => {
    const { ask } = await startServer(t, { mode, channels });
    const { status, headers, bytes } = await ask('GET', '/channels');
    t.is(status, 200);
    t.is(headers['content-type'], 'application/json');
    t.is(bytes.toString(), JSON.stringify(channels, null, 2));
  });
}

test('a channel that is not the default does not say so', async (t) => {
  const { ask } = await startServer(t, { channels: [{ name: 'dev', description: '', default: false }] });
  t.deepEqual((await ask('GET', '/channels')).list as object[], [{ name: 'dev', description: '' }]);
});

test('without channels the path does not exist', async (t) => {
  const { ask } = await startServer(t);
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    const { status, json } = await ask(method, '/channels');
    t.is(status, 404, method);
    t.is(json.code, 'ResourceNotFound', method);
  }
});

const selection = table<'default' | 'query' | 'status' | 'code'>(`
  default  query                  status  code
  yes      -                      200     -
  yes      ?channel=              200     -
  yes      ?channel=dev           200     -
  yes      ?channel=*             200     -
  yes      ?channel=staging       404     ResourceNotFound
  yes      ?channel=nope          422     Invalid
  yes      ?channel=DEV           422     Invalid
  yes      ?channel=dev&channel=dev  422  Invalid
  yes      ?channel=constructor   422     Invalid
  no       -                      422     MissingParameter
  no       ?channel=              422     MissingParameter
  no       ?channel=dev           200     -
  no       ?channel=*             200     -
`);

for (const path of ['', '/file', '/icon', '/jobs']) {
  test(`GET /images/:uuid${path} looks in the channel that is selected`, async (t) => {
    for (const { default: isDefault, query, status, code } of selection) {
      const server = await startServer(t, { channels: isDefault === 'yes' ? channels : channels.map(withoutDefault) });
      const uuid = await imageInDev(server);
      const answer = await server.ask('GET', `/images/${uuid}${path}${query}`);
      t.is(answer.status, Number(status), `${isDefault} ${query}`);
      t.is(answer.json.errors?.[0]?.field, status === '422' ? 'channel' : undefined, query);
      t.is(answer.json.errors?.[0]?.code ?? answer.json.code ?? '', code, query);
      if (status === '422') t.is(answer.json.code, 'ValidationFailed', query);
    }
  });
}

test('a server without channels ignores the parameter', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  for (const query of ['channel=nope', 'channel=*', 'channel=a&channel=b']) {
    t.is((await ask('GET', `/images/${uuid}?${query}`)).status, 200, query);
    t.is((await ask('GET', `/images?${query}`)).list.length, 1, query);
  }
});

test('the channel is looked at after the uuid and the credentials, before the image', async (t) => {
  const { ask } = await startServer(t, { channels });
  const absent = '/images/00000000-0000-4000-8000-000000000000';
  const headers = { authorization: 'Bearer wrong' };
  t.is((await ask('GET', '/images/nope?channel=nope')).json.code, 'ResourceNotFound');
  t.is((await ask('GET', `${absent}?channel=nope`, { headers })).json.code, 'UnauthorizedError');
  t.is((await ask('GET', `${absent}?channel=nope&account=nope`)).json.code, 'ValidationFailed');
});

test('a channel that is configured no more is still known to the image', async (t) => {
  const { ask, deps, stored } = await startServer(t, { channels });
  const uuid = await imageInDev({ ask });
  const image = await stored(uuid);
  await deps.catalog.write((tx) => tx.replace(images, { ...image!, channels: ['dev', 'retired'] }));
  const headers = { 'accept-version': '~2' };
  t.deepEqual((await ask('GET', `/images/${uuid}`, { headers })).json.channels, ['dev', 'retired']);
});

test('an image without channels is in none of them, not even with a star', async (t) => {
  const { ask, deps, stored } = await startServer(t, { channels });
  const uuid = await imageInDev({ ask });
  const { channels: _, ...image } = (await stored(uuid))!;
  await deps.catalog.write((tx) => tx.replace(images, image));
  for (const query of ['', '?channel=*']) {
    t.is((await ask('GET', `/images/${uuid}${query}`)).status, 404, query);
    t.is((await ask('GET', `/images${query}`)).list.length, 0, query);
  }
});

function withoutDefault({ name, description }: Channel): Channel {
  return { name, description };
}

async function imageInDev({ ask }: Pick<TestServer, 'ask'>): Promise<string> {
  const body = { name: 'a', version: '1', os: 'smartos', type: 'zone-dataset', public: true };
  const { uuid } = (await ask('POST', '/images?channel=dev', { body })).json;
  await ask('PUT', `/images/${uuid}/file?channel=dev&compression=none`, { body: 'bytes' });
  await ask('PUT', `/images/${uuid}/icon?channel=dev`, { body: 'icon', headers: { 'content-type': 'image/png' } });
  await ask('POST', `/images/${uuid}?channel=dev&action=activate`);
  return uuid;
}

import { once } from 'node:events';
import { Readable } from 'node:stream';
import ava, { type ExecutionContext } from 'ava';
import { ADMIN } from '../../server/model/user.js';
import type { Wire } from '../support/ask.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { type Sdc, type SdcError, sdcClient } from '../support/sdc-imgapi.js';

// one process after the other
const test = ava.serial;

const called = new Set<string>();

async function api(daemon: Daemon, method: string, path: string, body: object = {}): Promise<Wire> {
  const answer = await daemon.ask(method, `/api${path}`, { body });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.bytes}`);
  return answer.json.result as Wire;
}

/** A node that serves the data centers, and the client that it has, with nothing but the URL that it was given. */
async function nodeOf(
  t: ExecutionContext,
  daemon: Daemon,
  name: string,
  dcs: string[],
  publish?: string,
): Promise<Sdc> {
  await api(daemon, 'POST', `/node/${name}`, { dcs, addresses: ['127.0.0.1'] });
  const token = await api(daemon, 'POST', `/node/${name}/token/imgadm`, publish === undefined ? {} : { publish });
  return sdcClient(t, { url: `${daemon.url}${token.path}` }, called);
}

async function image(daemon: Daemon, dc: string, name: string, more: object = {}, then: object = {}): Promise<string> {
  const manifest = {
    name,
    version: '1',
    os: 'smartos',
    type: 'zone-dataset',
    owner: ADMIN.uuid,
    public: true,
    ...more,
  };
  const { json } = await daemon.ask('POST', `/images?dc=${dc}`, { body: manifest });
  await daemon.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: `the bytes of ${name}` });
  await daemon.ask('POST', `/images/${json.uuid}?action=activate`);
  if (Object.keys(then).length > 0) await api(daemon, 'PUT', `/image/${json.uuid}`, then);
  return json.uuid;
}

const names = (list: Wire[]) => list.map(({ name }) => name).sort();

/** The bytes, or the code of the refusal. */
async function fileOf(sdc: Sdc, uuid: string): Promise<string> {
  try {
    const { response } = await sdc.call('getImageFileStream', uuid, undefined, {});
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    // what the client has paused in its own way
    response.resume();
    await once(response, 'end');
    return Buffer.concat(chunks).toString();
  } catch (error) {
    const { statusCode } = error as SdcError;
    if (statusCode === undefined) throw error;
    return String(statusCode);
  }
}

async function twoDatacenters(t: ExecutionContext) {
  const daemon = await startDaemon(t);
  for (const dc of ['east', 'west']) await api(daemon, 'POST', `/dc/${dc}`);
  const base = await image(daemon, 'east', 'east-base', { public: false }, { access: 4 });
  const uuids = {
    base,
    public: await image(daemon, 'east', 'east-public', { origin: base }),
    private: await image(daemon, 'east', 'east-private', { public: false }),
    disabled: await image(daemon, 'east', 'east-disabled'),
    west: await image(daemon, 'west', 'west-public'),
    main: await image(daemon, 'main', 'main-public'),
    both: await image(daemon, 'east', 'both', { public: false }),
  };
  await daemon.ask('POST', `/images/${uuids.disabled}?action=disable`);
  await api(daemon, 'POST', `/dc/west/image/${uuids.both}`);
  return { daemon, uuids };
}

test('an unchanged client with the URL of a node sees the images of its data center, and no others', async (t) => {
  const { daemon, uuids } = await twoDatacenters(t);
  const east = await nodeOf(t, daemon, 'e1', ['east']);
  const west = await nodeOf(t, daemon, 'w1', ['west']);
  const anybody = sdcClient(t, { url: daemon.url }, called);

  t.true((await east.call('ping')).value.imgapi);
  const listed = async (sdc: Sdc, query = {}) => names((await sdc.call<Wire[]>('listImages', query)).value);
  t.deepEqual(await listed(east), ['both', 'east-private', 'east-public']);
  t.deepEqual(await listed(west), ['both', 'west-public']);
  t.deepEqual(await listed(anybody), ['main-public']);
  t.deepEqual(await listed(east, { state: 'all', name: '~west' }), []);
  t.deepEqual(await listed(east, { marker: uuids.both, limit: 1000 }), ['both']);

  const seen = { east: ['base', 'public', 'private', 'disabled', 'both'], west: ['west', 'both'], anybody: ['main'] };
  for (const [who, sdc] of Object.entries({ east, west, anybody })) {
    for (const [name, uuid] of Object.entries(uuids)) {
      const isSeen = seen[who as keyof typeof seen].includes(name);
      const what = `${who} and ${name}`;
      if (isSeen) t.is((await sdc.call('getImage', uuid)).value.uuid, uuid, what);
      else t.like(await sdc.refused('getImage', uuid), { status: 404, code: 'ResourceNotFound' }, what);
      t.regex(await fileOf(sdc, uuid), isSeen ? /^the bytes of/ : /^404$/, what);
    }
  }
});

test('the URL of a node changes nothing, and is worth nothing in the management API', async (t) => {
  const { daemon, uuids } = await twoDatacenters(t);
  const east = await nodeOf(t, daemon, 'e1', ['east']);
  t.is((await east.refused('deleteImage', uuids.public)).status, 403);
  t.is((await east.refused('updateImage', uuids.public, { name: 'other' })).status, 403);
  t.is(
    (await east.refused('createImage', { name: 'x', version: '1', os: 'smartos', type: 'zone-dataset' })).status,
    403,
  );
  t.is((await east.refused('adminGetState')).status, 403);
  const { token } = await api(daemon, 'POST', '/node/e1/token/second');
  for (const [path, headers] of [
    [`/n/${token}/api/image`, {}],
    ['/api/image', { authorization: `Bearer ${token}` }],
  ] as const) {
    const { status } = await daemon.ask('GET', path, { headers, as: 'anonymous' });
    t.true(status === 401 || status === 403, path);
  }
});

test('a node whose token may publish brings an image to its data center, with the calls of imgadm publish', async (t) => {
  const { daemon, uuids } = await twoDatacenters(t);
  const publisher = await nodeOf(t, daemon, 'e2', ['east'], 'east');
  const west = await nodeOf(t, daemon, 'w1', ['west']);
  const uuid = '5d0a3a3e-6f0c-4f0c-8a55-2f4f0b8d7a10';
  const manifest = { v: 2, uuid, name: 'built', version: '1', os: 'smartos', type: 'zone-dataset', owner: ADMIN.uuid };
  t.is(
    (await publisher.call('adminImportImage', { ...manifest, origin: uuids.public }, {})).value.state,
    'unactivated',
  );
  t.is(await fileOf(publisher, uuid), '404', 'nothing was received yet');

  const file = Readable.from([Buffer.from('built')]);
  await publisher.call('addImageFile', { uuid, file, size: 5, compression: 'none' });
  t.is((await publisher.call('activateImage', uuid)).value.state, 'active');
  t.is(await fileOf(publisher, uuid), 'built');
  t.is((await west.refused('getImage', uuid)).status, 404);
  t.is((await publisher.refused('deleteImage', uuid)).status, 403);
});

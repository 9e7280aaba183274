import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { groups } from '../../server/model/group.js';
import { tasks } from '../../server/model/task.js';
import { performImport } from '../../server/operations/perform-import.js';
import { newCertificate } from '../support/certificates.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { endOf, leftBy, NOTHING } from '../support/imports.js';
import { BYTES, badManifests, endlessChain, fileOf, liars, manifestOf } from '../support/lying-remote.js';
import { addImage, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { type Remote, type Reply, remote } from '../support/remote.js';
import { rememberRepository } from '../support/repositories.js';
import { startServer, type TestServer } from '../support/server.js';
import { kept, told } from '../support/told.js';

const UUID = numbered(1);
const IMAGE = `GET /images/${UUID}`;

const sendsFile: Reply = (_, response) => response.end(BYTES);

/** Another server with one image. */
const serving = (t: ExecutionContext, more: Record<string, unknown> = {}, file = sendsFile): Promise<Remote> =>
  remote(t, { [IMAGE]: manifestOf(BYTES, more), [`${IMAGE}/file`]: file });

const urlOf = ({ url }: Remote, uuid = UUID) => `${url}/images/${uuid}`;

for (const mode of ['dc', 'public'] as const) {
  test(`${mode}: an image of another server comes with its origins and its icon`, async (t) => {
    const from = await startServer(t);
    const here = await startServer(t, { mode });
    const base = await from.image({ name: 'base' }, { file: 'the base' });
    const image = await from.image({ name: 'top', origin: base.uuid }, { file: 'the top' });
    const icon = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3]);
    await from.ask('PUT', `/images/${image.uuid}/icon`, { body: icon, headers: { 'content-type': 'image/png' } });

    const asked = await here.ask('POST', `/images/${image.uuid}?action=import-remote&source=${from.url}`);
    t.is(asked.status, 200, String(asked.bytes));
    t.is(asked.json.image_uuid, image.uuid);
    t.is(asked.headers['workflow-api'], here.url);
    await endOf(here, asked.json.job_uuid);
    const { json: job } = await here.ask('GET', `/jobs/${asked.json.job_uuid}`);
    t.like(job, { execution: 'succeeded', image_uuid: image.uuid });
    t.deepEqual(
      (job.chain_results as { name: string; error: string }[]).map(({ name, error }) => [name, error]),
      [
        [`import image ${base.uuid}`, ''],
        [`import image ${image.uuid}`, ''],
      ],
    );
    for (const [uuid, bytes] of [
      [base.uuid, 'the base'],
      [image.uuid, 'the top'],
    ] as const) {
      const { json } = await here.ask('GET', `/images/${uuid}`);
      t.like(json, { state: 'active', published_at: (await from.ask('GET', `/images/${uuid}`)).json.published_at });
      t.is((await here.ask('GET', `/images/${uuid}/file`)).bytes.toString(), bytes);
    }
    const { headers, bytes } = await here.ask('GET', `/images/${image.uuid}/icon`);
    t.is(headers['content-type'], 'image/png');
    t.deepEqual(bytes, icon);
    const again = await here.ask('POST', `/images/${image.uuid}?action=import-remote&source=${from.url}`);
    t.is(told(again), '409 ImageUuidAlreadyExists');
    t.like(await leftBy(here), {
      images: [base.uuid, image.uuid].sort(),
      whole: 3,
      staged: 0,
      partials: [],
      awaited: 0,
    });
  });
}

test('what is said of an image stands before its manifest; it is pending until it is here', async (t) => {
  const { opened, open } = gate();
  t.teardown(open);
  const fleet = await startFleet(t);
  let asked = 0;
  const from = await serving(t, { description: 'theirs', public: true }, async (_, response) => {
    asked += 1;
    // the first one only looks whether it is there
    if (asked > 1) await opened;
    response.end(BYTES);
  });
  const wish = { manifest_url: urlOf(from), alias: 'ours', version: '2.0', access: 3, tags: ['a'], dc_bound: false };
  const made = await fleet.eve('POST', '/api/image/web', wish);
  t.is(made.status, 201, String(made.bytes));
  const { task_id: task, status, result } = made.json as { task_id?: string; status?: string; result?: unknown };
  t.deepEqual([status, result], ['PENDING', null]);

  const pending = resultOf(await fleet.eve('GET', '/api/image/web'));
  t.is(Object(pending.provenance).url, urlOf(from).replace(/\?.*/, ''));
  t.like(pending, { uuid: UUID, status: 2, pending: { task, what: 'import' }, state: 'creating', ready: false });
  t.is((await fleet.mia('GET', '/api/image/web')).status, 403);
  t.is(said(await fleet.eve('PUT', '/api/image/web', { desc: 'x' })), '417 ImagePending');
  t.is(said(await fleet.eve('DELETE', '/api/image/web')), '417 ImagePending');
  t.is(
    said(await fleet.eve('POST', '/api/image/other', { manifest_url: urlOf(from) })),
    '400 InvalidInput manifest_url',
  );
  t.is(said(await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) })), '406 ObjectAlreadyExists');
  t.is(fleet.deps.imports.awaited(), BYTES.length);

  open();
  const ended = await endOf(fleet, task);
  t.like(ended, { status: 'SUCCESS', datacenter: 'east', progress: { done: BYTES.length, total: BYTES.length } });
  t.deepEqual(ended.result, { uuid: UUID, images: [UUID], bytes: BYTES.length });
  t.like(resultOf(await fleet.eve('GET', '/api/image/web')), {
    ...{ uuid: UUID, alias: 'ours', version: '2.0', access: 3, tags: ['a'], desc: 'theirs', owner: 'eve' },
    ...{ status: 1, pending: null, state: 'active', dc_bound: true, dcs: ['east'], bytes: BYTES.length },
  });
  t.is(fleet.deps.imports.awaited(), 0);
});

test('a file may lie elsewhere, and a manifest need not be of a server of images', async (t) => {
  const fleet = await startFleet(t);
  const files = await remote(t, { 'GET /there': sendsFile });
  const from = await remote(t, {
    'GET /a.json': manifestOf(BYTES, { uuid: numbered(11) }),
    'GET /b.json': manifestOf(BYTES, { uuid: numbered(12), name: 'b' }),
    'GET /b.json/file': sendsFile,
    'GET /c.json': (_, response) => response.writeHead(302, { location: '/b.json' }).end(),
  });
  for (const [name, body] of [
    ['a', { manifest_url: `${from.url}/a.json?x=1`, file_url: `${files.url}/there?token=2` }],
    ['b', { manifest_url: `${from.url}/b.json` }],
  ] as const) {
    const made = await fleet.root('POST', `/api/image/${name}`, body);
    t.is(made.status, 201, String(made.bytes));
    t.is((await endOf(fleet, made.json.task_id)).status, 'SUCCESS');
  }
  t.true(from.asked.includes('GET /a.json?x=1'));
  t.deepEqual([...new Set(files.asked)], ['GET /there?token=2']);
  const gone = await fleet.root('POST', '/api/image/c', {
    manifest_url: `${from.url}/a.json`,
    file_url: `${files.url}/none`,
  });
  t.is(said(gone), '400 InvalidInput manifest_url', 'it is registered');
  const redirected = await fleet.root('POST', '/api/image/c', { manifest_url: `${from.url}/c.json` });
  t.is(said(redirected), '400 InvalidInput manifest_url');
  t.regex(String(redirected.json.message), /already|exists/, 'it was sent on to b, which is here');
});

for (const [what, reply] of Object.entries(badManifests)) {
  test(`a source that has ${what} for a manifest is refused at once, and leaves nothing`, async (t) => {
    const fleet = await startFleet(t);
    const from = await remote(t, { [IMAGE]: reply, [`${IMAGE}/file`]: sendsFile });
    const made = await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) });
    t.is(made.status, 400, String(made.bytes));
    const field = what === 'a file that is too large' ? 'manifest_url' : made.json.errors?.[0]?.field;
    t.is(field, 'manifest_url', String(made.bytes));
    const remoted = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
    t.is(told(remoted), '503 RemoteSourceError', String(remoted.bytes));
    t.deepEqual(await leftBy(fleet), NOTHING);
  });
}

for (const [what, reply] of Object.entries(liars)) {
  test(`a source that sends ${what} for a file fails the task, and leaves nothing`, async (t) => {
    const fleet = await startFleet(t);
    const from = await serving(t, {}, reply);
    const asked = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
    t.is(asked.status, 200, String(asked.bytes));
    const { status, result } = await endOf(fleet, asked.json.job_uuid);
    t.is(status, 'FAILURE');
    t.regex(String(Object(result).code), /^(Download|RemoteSourceError|UnauthorizedError)$/);
    t.deepEqual(await leftBy(fleet), NOTHING);
    const { json } = await fleet.ask('GET', `/jobs/${asked.json.job_uuid}`);
    const [last] = (json.chain_results as { error: { message: string } }[]).slice(-1);
    t.is(json.execution, 'failed');
    t.is(last?.error.message, Object(result).detail);
    t.true(last!.error.message.length > 10, 'it says what has happened');

    const whole = await serving(t);
    const again = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${whole.url}`);
    t.is((await endOf(fleet, again.json.job_uuid)).status, 'SUCCESS', 'nothing is in the way of another try');
  });
}

test('a source that crawls is given up', async (t) => {
  const server = await startServer(t, { patience: { pauses: [], crawl: { bytes: 1000, within: 50 } } });
  const from = await serving(t, {}, async (_, response) => {
    for (const byte of BYTES) {
      if (response.destroyed) return;
      response.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    response.end();
  });
  const asked = await server.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  const { status, result } = await endOf(server, asked.json.job_uuid);
  t.is(status, 'FAILURE');
  t.regex(String(Object(result).detail), /has sent only \d+ bytes/);
  t.deepEqual(await leftBy(server), NOTHING);
});

// By itself: it asks a hundred times within the time that a request has for it.
test.serial('more images than may build on each other are refused, however many there are', async (t) => {
  const fleet = await startFleet(t);
  const from = await remote(t, endlessChain(200));
  const made = await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) });
  t.is(said(made), '400 InvalidInput manifest_url');
  t.regex(String(made.json.message), /more than 100 images/);
  t.is(from.asked.length, 100);
  t.deepEqual(await leftBy(fleet), NOTHING);
});

test('an origin has to be active where it comes from, and usable where it is', async (t) => {
  const fleet = await startFleet(t);
  const west = await addImage(fleet, 'hidden', { dc: 'west', dc_bound: true });
  const own = await addImage(fleet, 'own', { dc: 'east', dc_bound: true });
  const before = await leftBy(fleet);
  const origins: [state: unknown, uuid: string, expected: string][] = [
    ['disabled', numbered(5), '400 OriginIsNotActive'],
    ['unactivated', numbered(5), '400 OriginIsNotActive'],
    ['active', west, '400 OriginDoesNotExist'],
  ];
  for (const [state, origin, expected] of origins) {
    const from = await remote(t, {
      [IMAGE]: manifestOf(BYTES, { origin }),
      [`GET /images/${origin}`]: manifestOf('base', { uuid: origin, state }),
      [`${IMAGE}/file`]: sendsFile,
    });
    t.is(said(await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) })), expected, String(state));
  }
  await fleet.ask('POST', `/images/${own}?action=disable`);
  const from = await serving(t, { origin: own });
  const made = await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) });
  t.is(said(made), '400 OriginIsNotActive');
  t.regex(String(made.json.message), new RegExp(own));
  t.deepEqual(await leftBy(fleet), before);
});

test('a circle of origins is refused', async (t) => {
  const server = await startServer(t);
  const chain = {
    ...endlessChain(3),
    [`GET /images/${numbered(3)}`]: manifestOf(BYTES, { uuid: numbered(3), origin: UUID }),
  };
  const from = await remote(t, chain);
  const asked = await server.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  t.is(told(asked), '503 RemoteSourceError');
  t.regex(String(asked.json.message), /comes from itself/);
  t.deepEqual(await leftBy(server), NOTHING);
});

test('a failure half way takes back what came before, but what others need by then', async (t) => {
  const fleet = await startFleet(t);
  const chain = {
    [IMAGE]: manifestOf(BYTES, { origin: numbered(2) }),
    [`GET /images/${numbered(2)}`]: manifestOf('middle', { uuid: numbered(2), origin: numbered(3), name: 'middle' }),
    [`GET /images/${numbered(3)}`]: manifestOf('base', { uuid: numbered(3), name: 'base' }),
    [`GET /images/${numbered(2)}/file`]: ((_, response) => response.end('middle')) as Reply,
    [`GET /images/${numbered(3)}/file`]: ((_, response) => response.end('base')) as Reply,
  };
  const from = await remote(t, { ...chain, [`${IMAGE}/file`]: liars['another file of the same size']! });
  const asked = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  const task = await endOf(fleet, asked.json.job_uuid);
  t.like(task, {
    status: 'FAILURE',
    steps: [{ name: `import image ${numbered(3)}` }, { name: `import image ${numbered(2)}` }],
  });
  await fleet.deps.catalog.write(async () => {});
  t.like(await leftBy(fleet), { images: [], partials: [], counted: [], awaited: 0 });

  const { opened, open } = gate();
  const begun = gate();
  const slow = await remote(t, {
    ...chain,
    [`${IMAGE}/file`]: async (_: unknown, response: Parameters<Reply>[1]) => {
      begun.open();
      await opened;
      response.end('x'.repeat(BYTES.length));
    },
  });
  const second = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${slow.url}`);
  await begun.opened;
  const built = await fleet.root('POST', '/api/image/built', { manifest: { ...manifest, origin: numbered(3) } });
  t.is(built.status, 201, String(built.bytes));
  open();
  t.is((await endOf(fleet, second.json.job_uuid)).status, 'FAILURE');
  const { uuid } = resultOf<{ uuid: string }>(built);
  t.deepEqual((await kept(fleet)).images, [numbered(3), uuid].sort(), 'the base is needed, the middle is not');
});

test('one that is cancelled goes at once, with what has come', async (t) => {
  const fleet = await startFleet(t);
  const begun = gate();
  const from = await serving(t, {}, (_, response) => {
    response.writeHead(200, { 'content-length': String(BYTES.length) });
    response.write(BYTES.slice(0, 9), begun.open);
  });
  const asked = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  const { job_uuid: task } = asked.json;
  await begun.opened;
  t.is((await fleet.root('PUT', `/api/task/${task}/cancel`)).status, 410);
  t.is((await fleet.root('GET', `/api/image/${UUID}`)).status, 404);
  // what runs takes a moment to see it
  await fleet.deps.tasks.close();
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.like((await fleet.ask('GET', `/jobs/${task}`)).json, { execution: 'canceled' });
});

test('limits count what is still on its way', async (t) => {
  const fleet = await startFleet(t, { space: async () => ({ free: 1000, size: 2000 }) });
  await fleet.root('PUT', '/api/dc/east/settings', { VMS_IMAGE_LIMIT: 1 });
  const from = await serving(t, { files: [{ ...fileOf(BYTES), size: 1001 }] });
  const refused = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  t.regex(String(refused.json.message), /1001 bytes are needed on the disk, 1000 are available/);
  t.deepEqual(await leftBy(fleet), NOTHING);

  const held = await serving(t, {}, () => {});
  const first = await fleet.ask('POST', `/images/${UUID}?action=import-remote&dc=east&source=${held.url}`);
  t.is(first.status, 200, String(first.bytes));
  const other = await remote(t, {
    [`GET /images/${numbered(8)}`]: manifestOf(BYTES, { uuid: numbered(8), name: 'other' }),
    [`GET /images/${numbered(8)}/file`]: sendsFile,
  });
  const second = await fleet.eve('POST', '/api/image/more', { manifest_url: urlOf(other, numbered(8)) });
  t.is(said(second), '400 QuotaExceeded');
  await fleet.root('PUT', `/api/task/${first.json.job_uuid}/cancel`);
  const third = await fleet.eve('POST', '/api/image/more', { manifest_url: urlOf(other, numbered(8)) });
  t.is(third.status, 201, String(third.bytes));
  t.is((await endOf(fleet, third.json.task_id)).status, 'SUCCESS');
});

const refusals: [what: string, body: Record<string, unknown>, expected: string][] = [
  ['not http', { manifest_url: 'ftp://x/images/y' }, '400 InvalidInput manifest_url'],
  ['no url', { manifest_url: 'nonsense' }, '400 InvalidInput manifest_url'],
  ['credentials in it', { manifest_url: 'http://a:b@127.0.0.1/' }, '400 InvalidInput manifest_url'],
  ['nobody there', { manifest_url: 'http://127.0.0.1:1/images/x' }, '400 InvalidInput manifest_url'],
  ['a closed address', { manifest_url: 'http://169.254.169.254/x' }, '400 InvalidInput manifest_url'],
  [
    'another kind of file',
    { manifest_url: 'http://127.0.0.1:1/x', file_url: 'file:///x' },
    '400 InvalidInput file_url',
  ],
  ['no such secret', { manifest_url: 'http://127.0.0.1:1/x', secret: 'none' }, '400 InvalidInput secret'],
  ['a manifest as well', { manifest_url: 'http://127.0.0.1:1/x', manifest }, '400 InvalidInput manifest'],
  ['another data center', { manifest_url: 'http://127.0.0.1:1/x', dc: 'west' }, '400 InvalidInput dc'],
  ['nothing', {}, '400 InvalidInput manifest'],
];

test('what can be told at once is refused at once', async (t) => {
  const fleet = await startFleet(t);
  for (const [what, body, expected] of refusals)
    t.is(said(await fleet.eve('POST', '/api/image/web', body)), expected, what);
  const from = await serving(t);
  for (const who of [fleet.dora, fleet.will, fleet.mia, fleet.sam]) {
    t.is(said(await who('POST', '/api/image/web', { manifest_url: urlOf(from) })), '403 NotPermitted');
  }
  t.deepEqual(from.asked, [], 'nobody was asked');
  const file_url = `${from.url}/none`;
  t.is(
    said(await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from), file_url })),
    '400 InvalidInput file_url',
  );
  t.deepEqual(await leftBy(fleet), NOTHING);
});

test('whoever does not see who holds a uuid is told only that somebody does', async (t) => {
  const fleet = await startFleet(t);
  const from = await serving(t);
  await fleet.root('POST', '/api/image/theirs', {
    manifest: { ...manifest, v: 2, uuid: UUID, name: 'secret-name' },
    dc: 'west',
  });
  const refused = await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) });
  t.is(said(refused), '400 InvalidInput manifest_url');
  t.notRegex(String(refused.bytes), /secret-name|theirs/);
  t.regex(String(refused.json.message), /a SuperAdmin can attach/);
  t.regex(String((await fleet.root('POST', '/api/image/web', { manifest_url: urlOf(from) })).bytes), /secret-name/);
});

test('an image of a repository', async (t) => {
  const fleet = await startFleet(t);
  const from = await serving(t, { name: 'Their Image' });
  await rememberRepository(fleet, { name: 'rep', url: from.url }, []);
  const path = `/api/imagestore/rep/image/${UUID}`;
  t.is(said(await fleet.dora('POST', path, {})), '403 NotPermitted');
  t.is(said(await fleet.eve('POST', '/api/imagestore/rep/image/x', {})), '404 ResourceNotFound');
  t.is(said(await fleet.eve('POST', `/api/imagestore/none/image/${UUID}`, {})), '404 ResourceNotFound');
  t.is(said(await fleet.eve('POST', `/api/imagestore/rep/image/${numbered(9)}`, {})), '404 ResourceNotFound');
  const made = await fleet.eve('POST', path, {});
  t.is(made.status, 201, String(made.bytes));
  t.is((await endOf(fleet, made.json.task_id)).status, 'SUCCESS');
  t.like(resultOf(await fleet.eve('GET', '/api/image/Their-Image')), { uuid: UUID, alias: 'Their Image', status: 1 });
  t.is(said(await fleet.eve('POST', path, {})), '406 ImageUuidAlreadyExists');
  const other = await remote(t, { [`GET /images/${numbered(9)}`]: manifestOf(BYTES, { uuid: numbered(9) }) });
  await rememberRepository(fleet, { name: 'other', url: other.url }, []);
  const named = await fleet.eve('POST', `/api/imagestore/other/image/${numbered(9)}`, { name: 'Their-Image' });
  t.is(said(named), '406 ObjectAlreadyExists');
  t.deepEqual((await kept(fleet)).images, [UUID]);
});

test('a server that keeps records only takes the record, in its data center', async (t) => {
  const fleet = await startFleet(t);
  await fleet.root('PUT', '/api/dc/main/settings', { VMS_IMAGE_VM: '' });
  const from = await serving(t);
  const made = await fleet.ask('POST', '/api/image/web', {
    body: { manifest_url: urlOf(from), dc: 'east', dc_bound: false },
  });
  t.is(made.status, 200, String(made.bytes));
  t.like(resultOf(made), { uuid: UUID, name: 'web', dcs: ['east'], status: 1, ready: true });
  t.deepEqual(from.asked, [`GET /images/${UUID}`]);
  const remoted = await fleet.ask('POST', `/images/${numbered(9)}?action=import-remote&source=${from.url}`);
  t.is(told(remoted), '503 RemoteSourceError');
  t.like(await kept(fleet), { images: [UUID], whole: 0, staged: 0 });
});

test('imports beyond so many wait, and hold up nothing that is quick', async (t) => {
  const { opened, open } = gate();
  t.teardown(open);
  const fleet = await startFleet(t, { importsAtOnce: 1 });
  const held: Reply = async (_, response) => {
    await opened;
    response.end(BYTES);
  };
  const replies: Record<string, object | Reply> = {};
  for (const n of [1, 2, 3]) {
    replies[`GET /images/${numbered(n)}`] = manifestOf(BYTES, { uuid: numbered(n), name: `image-${n}` });
    replies[`GET /images/${numbered(n)}/file`] = held;
  }
  const from = await remote(t, replies);
  const started: unknown[] = [];
  for (const n of [1, 2, 3]) {
    const { json } = await fleet.ask('POST', `/images/${numbered(n)}?action=import-remote&source=${from.url}`);
    started.push(json.job_uuid);
  }
  const bulk = await fleet.root('POST', '/api/bulk/image', { action: 'label', label: 'red', images: [numbered(1)] });
  t.is((await endOf(fleet, bulk.json.task_id)).status, 'SUCCESS');
  const queued = await fleet.ask('GET', `/images/${numbered(3)}/jobs?execution=queued`, { as: 'admin' });
  t.is(queued.list.length, 1);
  open();
  for (const task of started) t.is((await endOf(fleet, task)).status, 'SUCCESS');
});

test('the sweep removes what tasks have left that are over', async (t) => {
  const { sweep } = await import('../../server/operations/sweep.js');
  const fleet = await startFleet(t);
  const begun = gate();
  const from = await serving(t, {}, begun.open);
  const asked = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  await begun.opened;
  await sweep(fleet.deps);
  t.deepEqual((await kept(fleet)).images, [UUID], 'it is still being imported');
  const id = String(asked.json.job_uuid);
  await fleet.deps.catalog.write((tx) => tx.delete(tasks, id));
  await sweep(fleet.deps);
  t.like(await leftBy(fleet), { images: [], partials: [] });
});

const remoteErrors: [query: string, expected: string][] = [
  ['action=import-remote', '422 ValidationFailed source:MissingParameter'],
  ['action=import-remote&source=nonsense', '422 ValidationFailed source:Invalid'],
  ['action=import-remote&source=ftp://x', '422 ValidationFailed source:Invalid'],
  ['action=import-remote&source=http://127.0.0.1:1', '503 RemoteSourceError'],
  ['action=import-remote&source=SOURCE&skip_owner_check=maybe', '422 InvalidParameter skip_owner_check:Invalid'],
  [`action=import-remote&source=SOURCE&account=${numbered(5)}`, '403 OperatorOnly'],
  ['action=import&source=http://127.0.0.1:1', '503 RemoteSourceError'],
];

test('import-remote and its errors', async (t) => {
  const server = await startServer(t);
  const from = await serving(t);
  for (const [query, expected] of remoteErrors) {
    const path = `/images/${UUID}?${query.replace('SOURCE', from.url)}`;
    t.is(told(await server.ask('POST', path)), expected, query);
  }
  t.deepEqual(await leftBy(server), NOTHING);
});

test('a manifest and then its file, from a source, in a channel of it', async (t) => {
  const server = await startServer(t);
  const from = await serving(t, { state: 'unactivated' });
  const source = encodeURIComponent(`${from.url}/?channel=dev`);
  const imported = await server.ask('POST', `/images/${UUID}?action=import&source=${source}`);
  t.is(imported.status, 200, String(imported.bytes));
  t.like(imported.json, { uuid: UUID, state: 'unactivated', files: [] });
  const filled = await server.ask('PUT', `/images/${UUID}/file?source=${source}`);
  t.is(filled.status, 200, String(filled.bytes));
  t.like(filled.json.files?.[0] as object, fileOf(BYTES));
  t.true(from.asked.every((asked) => asked.endsWith('?channel=dev')));
  t.is(told(await server.ask('POST', `/images/${UUID}?action=import&source=${source}`)), '409 ImageUuidAlreadyExists');
});

test('a file from a source that lies is refused, and the image stays without one', async (t) => {
  const server = await startServer(t);
  for (const [what, expected] of [
    ['another file of the same size', '400 Download'],
    ['too much', '400 Download'],
    ['too little', '503 RemoteSourceError'],
    ['nothing', '400 Download'],
    ['a refusal', '503 RemoteSourceError'],
    ['no answer at all', '503 RemoteSourceError'],
  ] as const) {
    const from = await serving(t, {}, liars[what]);
    await server.ask('POST', `/images/${UUID}?action=import&source=${from.url}`);
    t.is(told(await server.ask('PUT', `/images/${UUID}/file?source=${from.url}`)), expected, what);
  }
  t.deepEqual(await kept(server), { images: [UUID], whole: 0, staged: 0 });
  t.deepEqual((await server.ask('GET', `/images/${UUID}`, { as: 'admin' })).json.files, []);
});

test('from-url takes https only, and nothing of whoever is not there', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null, activate: false });
  const path = `/images/${uuid}/file/from-url`;
  const ask = (query: string, body: object) => server.ask('POST', `${path}${query}`, { body }).then(told);
  t.is(await ask('?compression=none', {}), '422 InvalidParameter file_url:Missing');
  t.is(await ask('?compression=none', { file_url: 'http://127.0.0.1/x' }), '422 InvalidParameter file_url:Invalid');
  t.is(await ask('', { file_url: 'https://127.0.0.1:1/x' }), '422 InvalidParameter compression:Missing');
  t.is(await ask('?compression=none', { file_url: 'https://127.0.0.1:1/x' }), '400 Download');
  t.deepEqual(await kept(server), { images: [uuid], whole: 0, staged: 0 });
});

test('an account brings what it owns in another data center', async (t) => {
  const owner = numbered(6);
  const from = await remote(t, {
    [IMAGE]: manifestOf(BYTES, { owner }),
    [`${IMAGE}/file`]: sendsFile,
    [`GET /images/${numbered(2)}`]: manifestOf(BYTES, { uuid: numbered(2), owner, state: 'disabled' }),
    [`GET /images/${numbered(3)}`]: manifestOf(BYTES, { uuid: numbered(3), owner: numbered(9) }),
    [`GET /images/${numbered(4)}`]: manifestOf(BYTES, { uuid: numbered(4), owner, origin: numbered(3) }),
  });
  const server = await startServer(t, { datacenters: { 'us-1': from.url } });
  const ask = (uuid: string, query: string) =>
    server.ask('POST', `/images/${uuid}?action=import-from-datacenter&${query}`);
  const there = `datacenter=us-1&account=${owner}&skip_owner_check=false`;
  const unknown = await ask(UUID, `datacenter=us-2&account=${owner}`);
  t.is(told(unknown), '422 ValidationFailed datacenter:Invalid');
  t.regex(String(unknown.json.message), /us-1/);
  t.is(told(await ask(UUID, `account=${owner}`)), '422 ValidationFailed datacenter:MissingParameter');
  t.is(told(await ask(UUID, 'datacenter=us-1&account=x')), '422 ValidationFailed account:Invalid');
  t.is(told(await ask(numbered(7), there)), '404 ResourceNotFound');
  t.is(told(await ask(numbered(2), there)), '422 ValidationFailed state:Invalid');
  t.is(told(await ask(numbered(3), there)), '401 UnauthorizedError');
  t.is(told(await ask(numbered(4), there)), '404 ResourceNotFound');
  const asked = await ask(UUID, there);
  t.is(asked.status, 200, String(asked.bytes));
  t.truthy(asked.headers['workflow-api']);
  t.is((await endOf(server, asked.json.job_uuid)).status, 'SUCCESS');
  t.is(told(await ask(UUID, there)), '409 ImageUuidAlreadyExists');
});

test('a certificate that nobody vouches for is refused, wherever it is met', async (t) => {
  const { certificate: cert, key } = await newCertificate();
  let heard = 0;
  const secured = createServer({ cert, key }, (_, response) => {
    heard += 1;
    response.end(BYTES);
  }).listen(0, '127.0.0.1');
  await once(secured, 'listening');
  t.teardown(() => secured.close());
  const url = `https://127.0.0.1:${(secured.address() as AddressInfo).port}`;
  const fleet = await startFleet(t);
  const remoted = await fleet.ask('POST', `/images/${UUID}?action=import-remote&source=${url}`);
  t.is(told(remoted), '503 RemoteSourceError');
  t.regex(String(remoted.json.message), /certificate/);
  t.is(said(await fleet.eve('POST', '/api/image/web', { manifest_url: `${url}/x` })), '400 InvalidInput manifest_url');
  const from = await serving(t);
  const body = { manifest_url: urlOf(from), file_url: `${url}/file` };
  t.is(said(await fleet.eve('POST', '/api/image/web', body)), '400 InvalidInput file_url');
  t.deepEqual(await leftBy(fleet), NOTHING);
  const { uuid } = await fleet.image({}, { file: null, activate: false });
  const fetched = await fleet.ask('POST', `/images/${uuid}/file/from-url?compression=none`, {
    body: { file_url: url },
  });
  t.is(told(fetched), '400 Download');
  t.is(heard, 0);
});

/** Eve may import no more. */
const fire = ({ deps }: Pick<TestServer, 'deps'>) =>
  deps.catalog.write(async (tx) => {
    const held: string[] = [];
    for await (const { name, permissions } of tx.list(groups)) {
      if (permissions.includes('image_import_admin')) held.push(name);
    }
    for (const name of held) await tx.delete(groups, name);
  });

test('whoever loses the right while a source answers begins nothing', async (t) => {
  const fleet = await startFleet(t);
  const from = await remote(t, {
    [IMAGE]: async (_, response) => {
      await fire(fleet);
      response.end(JSON.stringify(manifestOf(BYTES)));
    },
    [`${IMAGE}/file`]: sendsFile,
  });
  t.is(said(await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) })), '403 NotPermitted');
  t.deepEqual(await leftBy(fleet), NOTHING);
});

test('whoever loses the right while the bytes come brings nothing', async (t) => {
  const { opened, open } = gate();
  t.teardown(open);
  const fleet = await startFleet(t);
  const from = await serving(t, {}, async (_, response) => {
    if (from.asked.length > 2) await opened;
    response.end(BYTES);
  });
  const { json } = await fleet.eve('POST', '/api/image/web', { manifest_url: urlOf(from) });
  await fire(fleet);
  open();
  const { status, result } = await endOf(fleet, json.task_id);
  t.is(status, 'FAILURE');
  t.is(Object(result).code, 'NotPermitted');
  t.deepEqual(await leftBy(fleet), NOTHING);
});

test('what a server repeats of the credentials that it was told is told to nobody', async (t) => {
  const fleet = await startFleet(t);
  let asked = 0;
  const echo: Reply = ({ headers: { authorization = '' } }, response) => {
    const [, value = ''] = authorization.split(' ');
    const plain = Buffer.from(value, 'base64').toString().replace('them:', '');
    const message = JSON.stringify({ code: 'UnauthorizedError', message: `not ${authorization}, nor "${plain}"` });
    response.writeHead(401, { 'content-type': 'application/json' }).end(message);
  };
  const from = await serving(t, {}, (request, response) => {
    asked += 1;
    return asked > 1 ? echo(request, response) : response.end(BYTES);
  });
  const refusing = await remote(t, { [IMAGE]: echo });
  const value = 'their "own" password';
  const encoded = Buffer.from(`them:${value}`).toString('base64');
  const isTold = (answer: unknown) => [value, '\\"own\\"', encoded].some((one) => String(answer).includes(one));
  for (const [name, { url }] of Object.entries({ from, refusing })) {
    const secret = { dc: 'east', host: url, type: 'basic', username: 'them', value };
    t.is((await fleet.eve('POST', `/api/secret/${name}`, secret)).status, 201);
  }
  const refused = await fleet.eve('POST', '/api/image/a', { manifest_url: urlOf(refusing), secret: 'refusing' });
  t.regex(String(refused.json.message), /answered 401 UnauthorizedError: not Basic …, nor "…"/);
  t.false(isTold(refused.bytes), String(refused.bytes));
  const { json } = await fleet.eve('POST', '/api/image/b', { manifest_url: urlOf(from), secret: 'from' });
  const ended = await endOf(fleet, json.task_id);
  t.is(ended.status, 'FAILURE');
  t.false(isTold(JSON.stringify(ended)), JSON.stringify(ended));
});

test('nobody fills the queue for all', async (t) => {
  const fleet = await startFleet(t, { importsAtOnce: 0 }); // what waits goes on to wait
  const from = await serving(t);
  const { uuid: eve } = [...fleet.deps.directory.users.values()].find(({ name }) => name === 'eve') ?? {};
  await fleet.deps.catalog.write(async (tx) => {
    for (let n = 0; n < 100; n += 1) {
      const who = { name: 'eve', uuid: String(eve) };
      const at = { created: fleet.deps.now().toISOString(), status: 'PENDING', result: null } as const;
      await tx.insert(tasks, { id: numbered(n), what: 'import', who, objects: [], params: { steps: [] }, ...at });
    }
  });
  const wish = { manifest_url: urlOf(from) };
  t.is(said(await fleet.eve('POST', '/api/image/web', wish)), '400 QuotaExceeded');
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.is((await fleet.root('POST', '/api/image/web', wish)).status, 201, 'an operator');
});

test('whoever loses the right while a file is fetched, or sent, adds none', async (t) => {
  for (const way of ['fetched', 'sent']) {
    const server = await startServer(t);
    await addDatacenter(server, 'east');
    const eve = await addUser(server, 'eve');
    await grant(server, eve, 'east', 'admin', 'image_admin', 'image_import_admin');
    const hers = { as: 'anonymous', headers: eve.headers } as const;
    const { files: _, state: __, ...body } = manifestOf(BYTES, { owner: eve.uuid });
    t.is((await server.ask('POST', `/images/${UUID}?action=import`, { ...hers, body })).status, 200);
    const from = await serving(t, {}, async (_, response) => {
      await fire(server);
      response.end(BYTES);
    });
    const sending = Readable.from(
      (async function* () {
        yield Buffer.from('some');
        await fire(server);
        yield Buffer.from('bytes');
      })(),
      { objectMode: false },
    );
    const refused =
      way === 'fetched'
        ? await server.ask('PUT', `/images/${UUID}/file?source=${from.url}`, hers)
        : await server.ask('PUT', `/images/${UUID}/file?compression=none`, { ...hers, body: sending });
    t.is(refused.status, 403, `${way}: ${refused.bytes}`);
    t.like(await leftBy(server), { whole: 0, staged: 0, partials: [] });
  }
});

test('an image that came, and was deleted before its task was known to have ended, is no failure of the task', async (t) => {
  const here = await startServer(t);
  const from = await serving(t);
  const asked = await here.ask('POST', `/images/${UUID}?action=import-remote&source=${from.url}`);
  const task = await endOf(here, asked.json.job_uuid);
  t.is((await here.ask('DELETE', `/images/${UUID}`)).status, 204);
  const [...before] = from.asked;
  const work = { signal: new AbortController().signal, report: () => {}, keep: async () => {} };
  // As the next start of the server finds it, where the end was not written any more.
  t.like(await performImport(here.deps, { ...task, status: 'STARTED' }, work), { images: [UUID] });
  t.deepEqual(from.asked, before);
  t.is((await here.ask('GET', `/images/${UUID}`)).status, 404);
});

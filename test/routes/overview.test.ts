import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { auditEntries } from '../../server/model/audit.js';
import { DAY, HOUR, type Sample, samples } from '../../server/model/sample.js';
import { eachSeries, isOfTheWhole } from '../../server/model/series.js';
import { type Task, tasks } from '../../server/model/task.js';
import { busyHours } from '../../server/model/traffic.js';
import { SampleBook } from '../../server/operations/sample-book.js';
import { takeSample } from '../../server/operations/take-sample.js';
import { TransfersNow } from '../../server/operations/transfers-now.js';
import type { Catalog } from '../../storage/catalog.js';
import { addNodeToken, place } from '../support/datacenters.js';
import { ownCatalog } from '../support/engines.js';
import { addImage, type Fleet, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { sharing } from '../support/members.js';
import { rememberRepository } from '../support/repositories.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';

const START = Date.parse('2030-06-15T00:00:00.000Z');
const MINUTES = 5 * 60_000;
const FILE = 'the bytes';

interface Moved {
  downloads: number;
  served_bytes: number;
  uploads: number;
  taken_bytes: number;
  imports: number;
  imported_bytes: number;
  failed_tasks: number;
}

interface Busy {
  images: { uuid: string; name: string | null; downloads: number; bytes: number }[];
  nodes: { name: string; downloads: number; bytes: number }[];
}

interface Shown {
  sampled: string | null;
  images: number;
  logical_bytes: number;
  stored: { bytes: number; saved_bytes: number } | null;
  disk: { free_bytes: number; full_in_days: number | null; change_per_day: number | null } | null;
  growth: Record<'day' | 'week' | 'month' | 'year', { images: number; bytes: number; stored_bytes: number } | null>;
  transfers: { now: { downloads: number; uploads: number }; day: Moved; week: Moved };
  busiest: { day: Busy; week: Busy };
  tasks: { running: number; waiting: number; failed: { id: string; object: string; dc: string | null }[] };
  repositories: { enabled: number; stale: { name: string; why: string }[] } | null;
}

interface Clocked extends Fleet {
  /** Milliseconds later, a sample is taken. */
  later(ms: number): Promise<void>;
  look(who: 'root' | 'eve' | 'dora' | 'will', query?: string): Promise<Shown>;
  pull(uuid: string, headers?: Record<string, string>): Promise<void>;
}

async function start(t: ExecutionContext, options: ServerOptions = {}): Promise<Clocked> {
  let time = START;
  const fleet = await startFleet(t, { ...options, now: () => new Date(time) });
  await takeSample(fleet.deps);
  return {
    ...fleet,
    later: async (ms) => {
      time += ms;
      await fleet.deps.audit.flush();
      await takeSample(fleet.deps);
    },
    look: async (who, query = '') => resultOf<Shown>(await fleet[who]('GET', `/api/overview${query}`)),
    pull: async (uuid, headers) => {
      const as = headers ? ({ as: 'anonymous', headers } as const) : ({ as: 'admin' } as const);
      await fleet.ask('GET', `/images/${uuid}/file`, as);
    },
  };
}

const nothing = { uploads: 0, taken_bytes: 0, imports: 0, imported_bytes: 0, failed_tasks: 0 };

test('what is stored, saved and moved, as SuperAdmins see it', async (t) => {
  const server = await start(t, { space: async () => ({ free: 600, size: 1000 }) });
  const { root, later, look, pull, ask } = server;
  const [one, two] = [await addImage(server, 'one'), await addImage(server, 'two')];
  const node = await addNodeToken(server, 'n1', ['east']);
  await pull(one);
  await pull(one, node);
  await pull(two, node);
  await later(MINUTES);
  const found = await look('root');
  t.is(found.images, 2);
  t.is(found.logical_bytes, 2 * FILE.length);
  t.deepEqual(found.stored, { bytes: FILE.length, saved_bytes: FILE.length });
  t.like(found.disk, { free_bytes: 600, full_in_days: null });
  const day = { ...nothing, downloads: 3, served_bytes: 27, uploads: 2, taken_bytes: 18 };
  t.deepEqual(found.transfers, { now: { downloads: 0, uploads: 0 }, day, week: day });
  t.deepEqual(
    found.busiest.day.images.map(({ uuid, name, downloads, bytes }) => ({ uuid, name, downloads, bytes })),
    [
      { uuid: one, name: 'one', downloads: 2, bytes: 18 },
      { uuid: two, name: 'two', downloads: 1, bytes: 9 },
    ],
  );
  t.deepEqual(found.busiest.day.nodes, [{ name: 'n1', downloads: 2, bytes: 18 }]);
  t.deepEqual(found.busiest.week, found.busiest.day);
  t.is(found.growth.day, null);

  await later(2 * DAY);
  await root('DELETE', '/api/image/one', {});
  await ask('DELETE', `/images/${two}`, { as: 'admin' });
  await later(MINUTES);
  const after = await look('root');
  t.is(after.images, 0);
  t.deepEqual(after.growth.day, { images: -2, bytes: -18, stored_bytes: 0 });
  t.is(after.growth.week, null);
  t.is(after.transfers.day.downloads, 0);
  t.is(after.transfers.week.downloads, 3);
  t.deepEqual(after.busiest.day, { images: [], nodes: [] });
  t.like(after.busiest.week.images[0], { uuid: one, name: null, downloads: 2 });
});

test('others are told what concerns their data centers, and nothing of what they do not see', async (t) => {
  const server = await start(t);
  const { later, look, pull } = server;
  const east = await addImage(server, 'east-1');
  const west = await addImage(server, 'west-1', { dc: 'west' });
  const both = await addImage(server, 'both');
  await place(server, both, { datacenters: ['east', 'west'] });
  const internal = await addImage(server, 'internal');
  await place(server, internal, { access: 'internal', datacenters: ['east'] });
  const node = await addNodeToken(server, 'n-west', ['west']);
  for (const uuid of [east, west, west, both, internal]) await pull(uuid);
  await pull(west, node);
  await pull(both, node);
  await later(MINUTES);

  const eve = await look('eve');
  t.is(eve.images, 2);
  t.is(eve.logical_bytes, 18);
  t.is(eve.stored, null);
  t.is(eve.disk, null);
  t.is(eve.sampled, null);
  t.is(eve.transfers.day.downloads, 3);
  t.deepEqual(
    eve.busiest.day.images.map(({ name, downloads }) => [name, downloads]),
    [
      ['both', 2],
      ['east-1', 1],
    ],
  );
  t.deepEqual(
    eve.busiest.day.nodes.map(({ name, downloads }) => [name, downloads]),
    [['n-west', 1]],
  );
  const will = await look('will');
  t.deepEqual([will.images, will.transfers.day.downloads], [2, 5]);
  t.is(will.repositories, null);
  t.deepEqual(await look('dora'), { ...eve, repositories: null });
  const root = await look('root');
  t.deepEqual([root.images, root.transfers.day.downloads], [4, 7]);
  const ofWest = await look('root', '?dc=west');
  t.deepEqual({ ...ofWest, repositories: null }, { ...will, dc: 'west', sampled: ofWest.sampled } as Shown);

  await place(server, both, { datacenters: ['west'] });
  t.deepEqual(
    (await look('eve')).busiest.day.images.map(({ name }) => name),
    ['east-1'],
    'nobody is told the name of what stands there no longer',
  );
});

test('who may ask, and for what', async (t) => {
  const { mia, sam, eve, root } = await start(t);
  for (const path of [
    '/api/overview',
    '/api/overview?dc=east',
    '/api/overview?dc=none',
    '/api/overview/history?what=images',
  ]) {
    for (const call of [mia, sam]) t.is(said(await call('GET', path)), '403 NotPermitted', path);
  }
  t.is(said(await eve('GET', '/api/overview?dc=west')), '404 ResourceNotFound');
  t.is(said(await eve('GET', '/api/overview?dc=none')), '404 ResourceNotFound');
  t.is(said(await root('GET', '/api/overview?dc=none')), '404 ResourceNotFound');
  t.is(said(await eve('GET', '/api/overview/history?what=images&dc=west')), '404 ResourceNotFound');
  for (const what of eachSeries) {
    const status = isOfTheWhole(what) ? '403 NotPermitted' : '200';
    t.is(said(await eve('GET', `/api/overview/history?what=${what}`)), status, what);
    t.is(said(await root('GET', `/api/overview/history?what=${what}&dc=east`)), status, what);
    t.is(said(await root('GET', `/api/overview/history?what=${what}`)), '200', what);
  }
});

test('what is asked for badly is refused by its field', async (t) => {
  const { root } = await start(t);
  const history = '/api/overview/history';
  for (const [path, fields] of Object.entries({
    [history]: 'what',
    [`${history}?what=everything`]: 'what',
    [`${history}?what=toString`]: 'what',
    [`${history}?what=images&points=0`]: 'points',
    [`${history}?what=images&points=1001`]: 'points',
    [`${history}?what=images&points=many`]: 'points',
    [`${history}?what=images&from=yesterday`]: 'from',
    [`${history}?what=images&to=2030-13-01`]: 'to',
    [`${history}?what=images&from=2030-06-15&to=2030-06-15`]: 'from',
    [`${history}?what=images&from=2040-01-01`]: 'from',
    [`${history}?what=images&every=5`]: 'every',
    '/api/overview?what=images': 'what',
  })) {
    t.is(said(await root('GET', path)), `400 InvalidInput ${fields}`, path);
  }
  for (const query of [
    'from=0000-01-01&to=9999-12-31',
    'from=1970-01-01',
    'from=2040-01-01&to=2041-01-01&points=1000',
    'from=2030-06-14T23:59:59.999Z',
  ]) {
    const answer = await root('GET', `${history}?what=downloads&${query}`);
    t.is(said(answer), '200', query);
    const { points } = resultOf<{ points: unknown[] }>(answer);
    t.true(points.length >= 1 && points.length <= 1000, query);
  }
});

test('a figure over time, thinned by the server', async (t) => {
  const server = await start(t);
  const { later, pull, root, eve } = server;
  const east = await addImage(server, 'east-1');
  const west = await addImage(server, 'west-1', { dc: 'west' });
  for (let n = 0; n < 12; n += 1) {
    await pull(east);
    await pull(west);
    await later(MINUTES);
  }
  const history = async (call: Fleet['root'], query: string) => {
    const found = resultOf<{ step: number; points: { value: number | null }[] }>(
      await call('GET', `/api/overview/history?${query}`),
    );
    return `${found.step}: ${found.points.map(({ value }) => value ?? '-').join(' ')}`;
  };
  const hour = 'from=2030-06-14T23:00:00Z&to=2030-06-15T01:00:00Z';
  t.is(await history(root, `what=downloads&${hour}&points=4`), '1800: - - 10 12');
  t.is(await history(eve, `what=downloads&${hour}&points=4`), '1800: - - 5 6');
  t.is(await history(eve, `what=served_bytes&${hour}&points=2`), '3600: - 99');
  t.is(await history(root, `what=images&${hour}&points=4`), '1800: - - 2 2');
  t.is(await history(eve, `what=images&${hour}&points=4&dc=east`), '1800: - - 1 1');
  t.is(await history(root, `what=stored_bytes&${hour}&points=4`), '1800: - - 9 9');
  t.is(await history(root, `what=downloads&from=2030-06-13&to=2030-06-16&points=3`), '86400: - - 24');
});

test('nothing counts twice after a crash, whichever daemon goes on, and nothing is lost', async (t) => {
  const catalog = await ownCatalog();
  const [a, b] = sharing(catalog, ['a', 'b']);
  let time = START;
  const now = () => new Date(time);
  const first = await startServer(t, { catalog: a!.catalog, now });
  const { uuid } = await first.image();
  const others = await Promise.all(
    [a, b].map(async (one) => ({ ...first.deps, samples: await SampleBook.open(one!.catalog) })),
  );
  t.teardown(() => others.map(({ samples: book }) => book.close()));
  const [onA, onB] = others as [typeof first.deps, typeof first.deps];
  await takeSample(onA);
  const pulled = async (count: number) => {
    for (let n = 0; n < count; n += 1) await first.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
    await first.deps.audit.flush();
    time += MINUTES;
  };
  await pulled(3);
  const dying = {
    ...onA,
    catalog: {
      ...onA.catalog,
      write: async (change: Parameters<Catalog['write']>[0]) => {
        await catalog.write(change as never);
        throw new Error('died behind its write');
      },
    } as Catalog,
  };
  await t.throwsAsync(takeSample(dying), { message: 'died behind its write' });
  await takeSample(onB);
  time += MINUTES;
  await takeSample(onB);
  await pulled(2);
  await Promise.all([takeSample(onA), takeSample(onB)]);
  t.is(await downloadsIn(first), 5);
  await pulled(1);
  const before = {
    ...onB,
    catalog: { ...onB.catalog, write: async () => Promise.reject(new Error('the disk is full')) } as Catalog,
  };
  await t.throwsAsync(takeSample(before), { message: 'the disk is full' });
  t.is(await downloadsIn(first), 5);
  await takeSample(onA);
  t.is(await downloadsIn(first), 6);
});

async function downloadsIn({ deps }: TestServer): Promise<number> {
  let sum = 0;
  for await (const { density, places } of deps.catalog.list(samples)) {
    if (density === 'days') for (const { downloads = 0 } of Object.values(places)) sum += downloads;
  }
  return sum;
}

test('samples are written where there is something to say, thinned out as they age, and leave nothing in the audit', async (t) => {
  const server = await start(t);
  const { later, deps, pull } = server;
  const uuid = await addImage(server, 'one');
  const kept = async () => {
    const all: Sample[] = [];
    for await (const sample of deps.catalog.list(samples)) all.push(sample);
    return all.map(({ density, from }) => `${density} ${from.slice(5, 16)}`);
  };
  await later(MINUTES);
  t.deepEqual(await kept(), ['days 06-15T00:00', 'hours 06-15T00:00', 'minutes 06-15T00:00', 'minutes 06-15T00:05']);
  for (let n = 0; n < 6; n += 1) await later(MINUTES);
  t.is((await kept()).length, 4, 'nothing has happened');
  for await (const { objects } of deps.catalog.list(auditEntries)) {
    for (const { kind } of objects) t.false(['samples', 'sampling', 'busy-hours'].includes(kind), kind);
  }
  await pull(uuid);
  await later(HOUR);
  const hours: string[] = [];
  for await (const { from } of deps.catalog.list(busyHours)) hours.push(from);
  t.deepEqual(hours, ['2030-06-15T01:00:00.000Z']);
  for (let day = 0; day < 70; day += 1) await later(DAY);
  const after = await kept();
  const many = (density: string) => after.filter((one) => one.startsWith(density)).length;
  t.deepEqual([many('minutes'), many('hours'), many('days')], [5, 64, 71]);
  for await (const { from } of deps.catalog.list(busyHours)) t.fail(`${from} is old`);
});

test('tasks that fail, and repositories that are not what they should be', async (t) => {
  const server = await start(t);
  const { later, look, deps } = server;
  const created = new Date(START).toISOString();
  const task = (id: string, more: Partial<Task>): Task => ({
    ...{ id, what: 'bulk', who: { name: 'ann' }, result: 'no', created, params: {}, status: 'STARTED' },
    ...{ objects: [{ kind: 'images', id, name: `image of ${id}` }], ...more },
  });
  const ended = { 'in-east': 'FAILURE', 'in-west': 'FAILURE', 'well-in-east': 'SUCCESS', nowhere: 'FAILURE' } as const;
  const all = Object.keys(ended).map((id) => task(id, id.includes('-') ? { datacenter: id.split('-').at(-1)! } : {}));
  await deps.catalog.write(async (tx) => {
    for (const one of [...all, task('long', { datacenter: 'east' })]) await tx.insert(tasks, one);
    await tx.insert(tasks, task('queued', { status: 'PENDING', datacenter: 'west' }));
  });
  await later(MINUTES);
  await deps.catalog.write(async (tx) => {
    for (const one of all) {
      await tx.replace(tasks, {
        ...one,
        status: ended[one.id as keyof typeof ended],
        finished: deps.now().toISOString(),
      });
    }
  });
  await rememberRepository(server, { name: 'fresh', url: 'http://127.0.0.1:1' }, []);
  await later(MINUTES);
  const counted = ({ tasks, transfers }: Shown) => [
    tasks.running,
    tasks.waiting,
    tasks.failed
      .map(({ id }) => id)
      .sort()
      .join(' '),
    transfers.day.failed_tasks,
  ];
  t.deepEqual(counted(await look('root')), [1, 1, 'in-east in-west nowhere', 3]);
  t.deepEqual(counted(await look('root', '?dc=west')), [0, 1, 'in-west', 1]);
  t.deepEqual(counted(await look('eve')), [1, 0, 'in-east', 1]);
  t.deepEqual(counted(await look('will')), [0, 1, 'in-west', 1]);
  t.deepEqual((await look('eve')).repositories, { enabled: 1, stale: [] });
  await later(8 * DAY);
  t.deepEqual(counted(await look('root')), [1, 1, '', 0]);
  t.deepEqual(
    (await look('eve')).repositories?.stale.map(({ name, why }) => [name, why]),
    [['fresh', 'old']],
  );
});

test('the disk of a bucket is nobody’s, and a full one is foreseen', async (t) => {
  let free = 1000;
  const server = await start(t, { space: async () => ({ free, size: 2000 }) });
  for (let day = 0; day < 10; day += 1) {
    free -= 20;
    await server.later(DAY);
  }
  t.like((await server.look('root')).disk, { free_bytes: 800, change_per_day: -20, full_in_days: 40 });
  const bucket = { ...server.deps, disk: undefined };
  free -= 100;
  await server.later(0);
  await takeSample({ ...bucket, now: () => new Date(START + 11 * DAY) });
  t.is((await server.look('root')).disk, null);
});

test('a file on its way counts while it is, for those who see its image', async (t) => {
  const server = await start(t);
  const { look, root, port, token } = server;
  const { uuid } = resultOf<{ uuid: string }>(await root('POST', '/api/image/one', { manifest, dc: 'east' }));
  const { now: before } = (await look('root')).transfers;
  t.deepEqual(before, { downloads: 0, uploads: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n\r\nsome`,
  );
  while ((await look('root')).transfers.now.uploads === 0);
  t.deepEqual((await look('eve')).transfers.now, { downloads: 0, uploads: 1 });
  t.deepEqual((await look('root', '?dc=east')).transfers.now, { downloads: 0, uploads: 1 });
  t.deepEqual((await look('will')).transfers.now, { downloads: 0, uploads: 0 });
  socket.destroy();
  while ((await look('root')).transfers.now.uploads > 0);
  t.deepEqual((await look('eve')).transfers.now, { downloads: 0, uploads: 0 });
});

test('what is on its way elsewhere counts as long as it is told, and its daemon is there', async (t) => {
  const catalog = await ownCatalog();
  t.teardown(() => catalog.close());
  const [a, b] = sharing(catalog, ['a', 'b']);
  let clock = 0;
  const [here, there] = [a, b].map((one) => new TransfersNow(one!.catalog.members, () => clock)) as [
    TransfersNow,
    TransfersNow,
  ];
  const all = () => there.count(() => true);
  const end = here.begin(() => ({ direction: 'download', place: 'east' }));
  here.begin(() => ({ direction: 'upload', place: 'west' }));
  here.begin(() => undefined);
  t.deepEqual(all(), { downloads: 0, uploads: 0 });
  here.tell();
  t.deepEqual(all(), { downloads: 1, uploads: 1 });
  t.deepEqual(
    there.count((place) => place === 'west'),
    { downloads: 0, uploads: 1 },
  );
  end();
  here.tell();
  t.deepEqual(all(), { downloads: 0, uploads: 1 });
  clock += 20_000;
  t.deepEqual(all(), { downloads: 0, uploads: 0 }, 'nothing was told for too long');
  here.tell();
  t.deepEqual(all(), { downloads: 0, uploads: 1 });
  a!.die();
  t.deepEqual(all(), { downloads: 0, uploads: 0 });
  for (const one of [here, there]) one.close();
});

test('a data center may be called like what every object has', async (t) => {
  const catalog = await ownCatalog();
  t.teardown(() => catalog.close());
  const [a, b] = sharing(catalog, ['a', 'b']);
  const [here, there] = [new TransfersNow(a!.catalog.members), new TransfersNow(b!.catalog.members)];
  t.teardown(() => [here, there].forEach((one) => void one.close()));
  here.begin(() => ({ direction: 'download', place: 'constructor' }));
  here.tell();
  for (const one of [here, there])
    t.deepEqual(
      one.count((place) => place === 'constructor'),
      { downloads: 1, uploads: 0 },
    );
});

test('a server without data centers has an overview too, for those who run it', async (t) => {
  for (const mode of ['public', 'private'] as const) {
    const { ask, image, deps } = await startServer(t, { mode });
    await image();
    await takeSample(deps);
    const found = resultOf<Shown>(await ask('GET', '/api/overview', { as: 'admin' }));
    t.like(found, { images: 1, logical_bytes: 9, stored: { bytes: 9, saved_bytes: 0 } });
    t.is((await ask('GET', '/api/overview', { as: 'anonymous' })).status, 401);
  }
});

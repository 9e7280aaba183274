import { Writable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { type Checked, isNearlyFull, Readiness } from '../../server/readiness.js';
import type { BlobStore } from '../../storage/blobs.js';
import type { Catalog } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { ownBlobs, ownCatalog } from '../support/engines.js';
import { keptLog } from '../support/log.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';

const GIB = 1024 ** 3;
const silent = pino({ level: 'silent' });
const never = () => new Promise<never>(() => {});

/** Milliseconds that real stores have for a look at them, on a machine that tests keep busy. */
const PATIENT = 60_000;

const broken = (what: string) => async () => {
  throw new StorageDown(what, new Error("EIO: i/o error, open '/srv/slipway/files/tmp/aa'"));
};

/** Memory stores of which some parts fail. */
async function checked(t: ExecutionContext, { catalog = {}, blobs = {}, space }: Faults = {}): Promise<Checked> {
  const records = await ownCatalog();
  // as one that belongs to this daemon alone, unless the fault says otherwise
  const bytes = Object.assign(await ownBlobs(), { check: undefined });
  const { list, delete: remove } = bytes;
  t.teardown(async () => {
    await records.close();
    await Object.assign(bytes, { list, delete: remove }).close(); // which may look at what it holds
  });
  return {
    catalog: Object.assign(records, catalog),
    blobs: Object.assign(bytes, blobs) as BlobStore,
    space: space ?? (async () => ({ free: 500 * GIB, size: 1000 * GIB })),
  };
}

interface Faults {
  catalog?: Partial<Catalog>;
  blobs?: Partial<BlobStore>;
  space?: Checked['space'];
}

// --- /healthz

test('a server whose stores have all failed is alive', async (t) => {
  const server = await startServer(t);
  for (const store of [server.deps.catalog, server.deps.blobs]) {
    for (const name of Object.keys(store)) if (name !== 'close') Object.assign(store, { [name]: broken(name) });
  }
  for (const authorization of ['', 'Bearer test-token', 'Bearer wrong', 'Signature keyId="x"']) {
    const { status, json, headers } = await server.ask('GET', '/healthz', { headers: { authorization } });
    t.is(status, 200);
    t.deepEqual({ ...json }, { healthy: true } as never);
    t.is(headers['content-type'], 'application/json');
    t.is(headers['cache-control'], 'no-store');
  }
});

test('probes are asked under any name, in any number and version, and with HEAD', async (t) => {
  const server = await startServer(t, { requestsPerMinute: 1 });
  for (const path of ['/healthz', '/readyz', '/healthz', '/readyz', '/healthz?x=1']) {
    const { status } = await server.ask('GET', path, {
      headers: { host: 'elsewhere.example', 'accept-version': '~99' },
    });
    t.is(status, 200, path);
  }
  const head = await server.ask('HEAD', '/healthz');
  t.is(head.status, 200);
  t.is(head.bytes.length, 0);
  for (const method of ['POST', 'PUT', 'DELETE']) t.is((await server.ask(method, '/readyz')).status, 405);
  for (const path of ['/healthz/', '/Healthz', '/readyz/x']) t.is((await server.ask('GET', path)).status, 404);
});

test('probes stand in the log at level debug, all else at info', async (t) => {
  const { log, lines } = keptLog();
  const server = await startServer(t, { log });
  for (const path of ['/healthz', '/readyz', '/ping', '/metrics', '/nowhere']) {
    await server.ask('GET', path, { as: 'admin' });
  }
  await server.ask('GET', '/ping');
  const levels = lines.flatMap(({ msg, url, level }) => (msg === 'request' ? [`${url} ${level}`] : []));
  t.deepEqual(levels.slice(0, 5), ['/healthz 20', '/readyz 20', '/ping 30', '/metrics 20', '/nowhere 30']);
});

// --- /readyz

const meanings: Record<string, string> = {
  catalog: 'the catalog can not be read',
  blobs: 'the blob store can not be written to',
  disk: 'the disk is nearly full',
};

const faults: Record<string, Faults> = {
  catalog: { catalog: { get: broken('reading') } },
  blobs: { blobs: { stage: broken('staging') } },
  disk: { space: async () => ({ free: GIB / 2, size: 1000 * GIB }) },
};

for (const [name, fault] of Object.entries(faults)) {
  test(`not ready: ${meanings[name]}; everybody is told so much, and the log more, once`, async (t) => {
    const { log, lines } = keptLog();
    const server = await startServer(t);
    let time = 0;
    const readiness = new Readiness(await checked(t, fault), log, () => new Date(time), PATIENT);
    server.deps.readiness = readiness;
    for (let round = 0; round < 3; round += 1) {
      const { status, headers, json, bytes } = await server.ask('GET', '/readyz');
      t.is(status, 503);
      t.is(headers['cache-control'], 'no-store');
      t.deepEqual({ ...json }, { ready: false, reasons: { [name]: meanings[name] } } as never);
      t.notRegex(bytes.toString(), /srv|EIO/);
      time += 60_000;
    }
    t.deepEqual(
      lines.map(({ level, msg }) => `${level} ${msg}`),
      [`40 not ready: ${meanings[name]}`],
    );
    t.truthy(lines[0]?.err);
    t.is((await server.ask('GET', '/healthz')).status, 200);
  });
}

test('who has got well is ready again, and the log says it', async (t) => {
  const { log, lines } = keptLog();
  let free = 0;
  let time = 0;
  const space = async () => ({ free, size: 1000 * GIB });
  const readiness = new Readiness(await checked(t, { space }), log, () => new Date(time), PATIENT);
  t.deepEqual(await readiness.reasons(), { disk: meanings.disk! });
  free = 100 * GIB;
  t.deepEqual(await readiness.reasons(), { disk: meanings.disk! }, 'what was found holds for a while');
  time += 5000;
  t.deepEqual(await readiness.reasons(), {});
  t.deepEqual(
    lines.map(({ msg }) => msg),
    ['not ready: the disk is nearly full', 'ready again'],
  );
  t.deepEqual(readiness.space, { free, size: 1000 * GIB });
});

test('all that is wrong is told', async (t) => {
  const all = Object.assign({}, ...Object.values(faults));
  const readiness = new Readiness(await checked(t, all), silent, () => new Date(), PATIENT);
  t.deepEqual(Object.keys(await readiness.reasons()), ['catalog', 'blobs', 'disk']);
});

test('the blob store is written to, at most once in a few seconds, and nothing stays', async (t) => {
  const { blobs } = await checked(t);
  const stage = blobs.stage.bind(blobs);
  let staged = 0;
  const counting = async () => {
    staged += 1;
    return stage();
  };
  let time = 0;
  const readiness = new Readiness(
    await checked(t, { blobs: { stage: counting } }),
    silent,
    () => new Date(time),
    PATIENT,
  );
  await Promise.all(Array.from({ length: 50 }, () => readiness.reasons()));
  t.is(staged, 1);
  time += 4999;
  await readiness.reasons();
  t.is(staged, 1);
  time += 1;
  await readiness.reasons();
  t.is(staged, 2);
  for await (const { key } of blobs.list()) t.fail(`left behind: ${key}`);
});

test('a write that fails is found out, and thrown away', async (t) => {
  let discarded = 0;
  const full = async () => ({
    key: 'a'.repeat(32),
    writable: new Writable({
      write: (_chunk, _encoding, done) => done(new StorageDown('writing', new Error('ENOSPC'))),
    }),
    commit: async () => t.fail('it was kept'),
    discard: async () => {
      discarded += 1;
    },
    suspend: async () => t.fail('it was kept'),
  });
  const readiness = new Readiness(await checked(t, { blobs: { stage: full } }), silent, () => new Date(), PATIENT);
  t.deepEqual(await readiness.reasons(), { blobs: meanings.blobs! });
  t.is(discarded, 1);
});

test('a store that does not answer makes not ready in time, and is not asked again', async (t) => {
  let asked = 0;
  const hanging = () => {
    asked += 1;
    return never();
  };
  let time = 0;
  const stores = await checked(t, { catalog: { get: hanging }, blobs: { stage: hanging } });
  const readiness = new Readiness(stores, silent, () => new Date(time), 5);
  for (let round = 0; round < 3; round += 1) {
    t.deepEqual(Object.keys(await readiness.reasons()), ['catalog', 'blobs']);
    time += 5000;
  }
  t.is(asked, 2);
});

const disks = table<'size' | 'free' | 'full'>(`
  size   free   full
  10000  100    -
  10000  1      -
  10000  0.99   yes
  1000   0.5    yes
  20     0.41   -
  20     0.39   yes
  1      0.021  -
  1      0.019  yes
  1      0      yes
`);

test('a disk is nearly full below one GiB, or, where it is small, below a fiftieth', (t) => {
  for (const { size, free, full } of disks) {
    t.is(isNearlyFull({ size: Number(size) * GIB, free: Number(free) * GIB }), full === 'yes', `${free} of ${size}`);
  }
});

test('who was asked to stop is alive, not ready, and leaves the stores alone', async (t) => {
  const server = await startServer(t);
  t.is((await server.ask('GET', '/readyz')).status, 200);
  server.deps.readiness.stop();
  Object.assign(server.deps.catalog, { get: () => t.fail('the catalog was read') });
  const { status, json } = await server.ask('GET', '/readyz');
  t.is(status, 503);
  t.deepEqual({ ...json }, { ready: false, reasons: { stopping: 'the server is stopping' } } as never);
  t.is((await server.ask('GET', '/healthz')).status, 200);
});

// --- Among several daemons

test('who has lost touch with the others is not ready, at once, and leaves the stores alone', async (t) => {
  let isIn = true;
  const readiness = new Readiness(
    await checked(t, { catalog: { current: () => isIn } }),
    silent,
    () => new Date(),
    PATIENT,
  );
  t.deepEqual(await readiness.reasons(), {});
  isIn = false;
  t.deepEqual(await readiness.reasons(), { touch: 'this daemon has lost touch with the database' });
  t.deepEqual(await readiness.remarks(), {});
  isIn = true;
  t.deepEqual(await readiness.reasons(), {});
});

test('a store that all share takes nobody out when it is away: that is a remark, and nothing is staged there', async (t) => {
  const { log, lines } = keptLog();
  const server = await startServer(t);
  let time = 0;
  let isAway = true;
  const stores = await checked(t, {
    blobs: { check: () => (isAway ? broken('asking')() : Promise.resolve()), stage: () => t.fail() as never },
  });
  server.deps.readiness = new Readiness(stores, log, () => new Date(time), PATIENT);
  const { status, json } = await server.ask('GET', '/readyz');
  t.is(status, 200);
  t.deepEqual({ ...json }, { ready: true, remarks: { store: 'the store of the files does not answer' } } as never);
  isAway = false;
  time += 5000;
  t.deepEqual({ ...(await server.ask('GET', '/readyz')).json }, { ready: true } as never);
  t.deepEqual(
    lines.map(({ msg }) => msg),
    ['the store of the files does not answer', 'ready again'],
  );
});

import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import ava, { type ExecutionContext } from 'ava';
import { type Cluster, memberName, startCluster } from '../support/cluster.js';
import { type Answered, type ClusterNginx, startClusterNginx } from '../support/cluster-nginx.js';
import { freePort } from '../support/free-port.js';
import { isMet } from '../support/needs.js';

const needs = ['nginx, to run the example', 'postgresql, to keep records', 'ceph, to keep bytes'] as const;
const test = needs.every((need) => isMet[need]) ? ava.serial : ava.serial.skip;
const titled = (title: string) => `${title} (${needs.join('; ')})`;

/** In seconds: long enough for a machine that others keep busy, too. */
const LEASE = 15;
const FILE = 300_000;
const WRITERS = 4;

interface Seen {
  /** What was asked for, and how it went otherwise than it should. */
  refused: { what: string; status: number; body: string }[];
  done: Record<string, number>;
  /** Images that stay, with the digest of the file of each. */
  kept: Map<string, string>;
  /** Those whose deletion was acknowledged. */
  deleted: Set<string>;
}

interface Site {
  cluster: Cluster;
  nginx: ClusterNginx;
}

const isRead = ({ what }: { what: string }) => what.startsWith('GET');

async function startSite(t: ExecutionContext): Promise<Site> {
  // nginx is told of them once, and they are taken again
  const ports = [await freePort(), await freePort()];
  const cluster = await startCluster(t, {
    lease: LEASE,
    config: { trustedProxies: ['127.0.0.1'], publicUrl: 'https://images.example.com', shutdownGrace: 20 },
    each: (place) => ({
      config: { serverName: `slipway/${memberName(place)}` },
      args: ['--port', `${ports[place]}`],
    }),
  });
  return { cluster, nginx: await startClusterNginx(t, ports) };
}

/** Images are made, read, changed and deleted through nginx until told otherwise. */
async function keepBusy({ nginx, cluster }: Site, seen: Seen, isEnough: () => boolean): Promise<void> {
  const authorization = `Bearer ${cluster.token}`;
  const ask = async (what: string, method: string, path: string, body?: Buffer | object): Promise<Answered> => {
    const isJson = body !== undefined && !Buffer.isBuffer(body);
    const bytes = isJson ? Buffer.from(JSON.stringify(body)) : body;
    const headers = {
      authorization,
      ...(isJson && { 'content-type': 'application/json' }),
      ...(bytes && { 'content-length': bytes.length }),
    };
    const answer = await nginx.ask(method, path, headers, bytes).catch((error: Error) => error);
    if (answer instanceof Error || answer.status >= 300) {
      const status = answer instanceof Error ? 0 : answer.status;
      const body = answer instanceof Error ? String(answer) : String(answer.bytes);
      seen.refused.push({ what: `${method} ${what}`, status, body });
      throw new Refused(what);
    }
    seen.done[what] = (seen.done[what] ?? 0) + 1;
    return answer;
  };
  const round = async (n: number) => {
    const file = randomBytes(FILE);
    const sha1 = createHash('sha1').update(file).digest('hex');
    const manifest = { name: `busy-${n}`, version: '1', type: 'other', os: 'other', public: true };
    const { uuid } = JSON.parse(String((await ask('image', 'POST', '/images', manifest)).bytes));
    await ask('file', 'PUT', `/images/${uuid}/file?compression=none&sha1=${sha1}`, file);
    await ask('activate', 'POST', `/images/${uuid}?action=activate`);
    seen.kept.set(uuid, sha1);
    await ask('update', 'POST', `/images/${uuid}?action=update`, { description: 'changed' });
    const shown = JSON.parse(String((await ask('manifest', 'GET', `/images/${uuid}`)).bytes));
    if (shown.description !== 'changed') throw new Error(`an acknowledged change to ${uuid} is not to be seen`);
    const got = await ask('file', 'GET', `/images/${uuid}/file`);
    if (!got.bytes.equals(file)) throw new Error(`the file of ${uuid} is another one`);
    if (n % 3 > 0) return;
    // From then on nobody knows, until it is acknowledged.
    seen.kept.delete(uuid);
    await ask('image', 'DELETE', `/images/${uuid}`);
    seen.deleted.add(uuid);
  };
  const client = async (first: number) => {
    for (let n = first; !isEnough(); n += 100) {
      await round(n).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
      });
    }
  };
  const reader = async () => {
    while (!isEnough()) {
      await ask('list', 'GET', '/images').catch(() => {});
      await ask('ping', 'GET', '/ping').catch(() => {});
    }
  };
  await Promise.all([...Array.from({ length: WRITERS }, (_, n) => client(n)), reader(), reader()]);
}

class Refused extends Error {}

async function whileBusy(t: ExecutionContext, site: Site, work: (seen: Seen) => Promise<void>): Promise<Seen> {
  const seen: Seen = { refused: [], done: {}, kept: new Map(), deleted: new Set() };
  let isEnough = false;
  const busy = keepBusy(site, seen, () => isEnough);
  try {
    await Promise.race([work(seen), busy]);
  } finally {
    isEnough = true;
  }
  await busy;
  // Whatever was acknowledged is there, at both, and nothing else has changed it.
  for (const { ask } of site.cluster.daemons) {
    const uuids = new Set((await ask('GET', '/images')).list.map(({ uuid }) => uuid));
    t.deepEqual(
      [...seen.kept.keys()].filter((uuid) => !uuids.has(uuid)),
      [],
      'images that are lost',
    );
    t.deepEqual(
      [...seen.deleted].filter((uuid) => uuids.has(uuid)),
      [],
      'images that are back',
    );
    for (const [uuid, sha1] of [...seen.kept].slice(-5)) {
      const { bytes } = await ask('GET', `/images/${uuid}/file`);
      t.is(createHash('sha1').update(bytes).digest('hex'), sha1);
    }
  }
  t.log(seen.done, seen.refused);
  return seen;
}

/** Some rounds have gone all the way meanwhile. */
async function untilMore({ done }: Seen, rounds = 6): Promise<void> {
  const before = done.update ?? 0;
  while ((done.update ?? 0) < before + rounds) await pause(20);
}

/** nginx asks it again, for reads and for writes. */
async function untilAsked({ nginx }: Site, place: number): Promise<void> {
  const name = `slipway/${memberName(place)}`;
  for (const method of ['GET', 'PUT']) {
    // A PUT of nothing to nowhere is a write like any other, for nginx.
    while ((await nginx.ask(method, '/ping')).headers.server !== name) await pause(100);
  }
}

test(
  titled('daemons that nginx is told of first are stopped and started in turn, and nobody is refused anything'),
  async (t) => {
    const site = await startSite(t);
    const seen = await whileBusy(t, site, async (seen) => {
      for (const place of [0, 1]) {
        await untilMore(seen);
        await site.nginx.takeOut(place);
        const { code } = await site.cluster.daemons[place]!.kill('SIGTERM');
        t.is(code, 0);
        await untilMore(seen);
        await site.cluster.start(place);
        await site.nginx.takeOut();
        await untilAsked(site, place);
      }
      await untilMore(seen);
    });
    t.deepEqual(seen.refused, []);
  },
);

test(titled('a daemon that is simply stopped costs no read, and no write that was acknowledged'), async (t) => {
  const site = await startSite(t);
  const seen = await whileBusy(t, site, async (seen) => {
    for (const place of [0, 1]) {
      await untilMore(seen);
      await site.cluster.daemons[place]!.kill('SIGTERM');
      await untilMore(seen);
      await site.cluster.start(place);
      await untilAsked(site, place);
    }
    await untilMore(seen);
  });
  t.deepEqual(seen.refused.filter(isRead), []);
  // One whose connection had just come may be cut: it was not done, but nginx can not know that.
  t.deepEqual(
    [...new Set(seen.refused.map(({ status }) => status))].filter((status) => status !== 502),
    [],
  );
  t.true(seen.refused.length <= 2 * WRITERS, 'at the moment of each stop only');
});

test(titled('a daemon is killed: reads find the other one, and writes go on when its lease is over'), async (t) => {
  const site = await startSite(t);
  const seen = await whileBusy(t, site, async (seen) => {
    await untilMore(seen);
    await site.cluster.daemons[0]!.kill('SIGKILL');
    await untilMore(seen);
    await site.cluster.start(0);
    await untilAsked(site, 0);
    await untilMore(seen);
  });
  // What was on its way from it is cut, and asked for again by whoever wants it.
  t.deepEqual(
    seen.refused.filter(isRead).filter(({ status, what }) => !(status === 0 && what === 'GET file')),
    [],
  );
  t.deepEqual(
    [...new Set(seen.refused.map(({ status }) => status))].filter((status) => status > 0 && status !== 502),
    [],
  );
  t.true(seen.refused.length <= 8, 'those that were with it at that moment only');
});

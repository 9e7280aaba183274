import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ofOwner, usage } from '../../server/model/usage.js';
import { ADMIN } from '../../server/model/user.js';
import type { Catalog } from '../../storage/catalog.js';
import { openCatalog } from '../../storage/open.js';
import { startCeph } from '../../test/support/ceph.js';
import { isMet } from '../../test/support/needs.js';
import { startPostgres } from '../../test/support/postgres.js';
import { s3ClientOf } from '../../test/support/s3-account.js';
import type { Created, CreatesJob } from '../load/creates.js';
import type { Downloaded, DownloadJob } from '../load/download.js';
import { runLoad } from '../load/load.js';
import type { Posted, PostsJob } from '../load/posts.js';
import { inPairs } from '../measure/in-pairs.js';
import { type PerRequest, perRequest } from '../measure/per-request.js';
import { cpuSecondsOf, forgetPeakMemory, peakMemoryOf } from '../measure/process.js';
import { compared } from '../measure/row.js';
import type { Aim, Bench, Findings, Part, Row } from '../part.js';
import { bodyOf } from '../servers/body-of.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { addImage } from '../servers/fill.js';
import { fill, imageOf, nameOf, OF_A_NAME } from '../servers/fill-catalog.js';
import { type Member, newSecretsKey, type Shared, startMember } from '../servers/member.js';
import type { Server } from '../servers/server.js';

const IMAGES = 10_000;
const MANIFESTS = 1000;
const CONNECTIONS = 16;
const SECONDS = 1.5;
const CREATES = 1000;
const WRITERS = 16;
const MIB = 2 ** 20;
const SIZE = 128 * MIB;
const CACHE = 1024 * MIB;
/** Of the bench itself, in milliseconds: it writes much at once. */
const LEASE = 60_000;
/** Of the daemons, in seconds: so much shares two cores here that one may be kept waiting for long. No answer waits for it. */
const PATIENT = ['--lease', '30'];
const CROWD = 64;
const MOST_MEMORY = 200;

const whole = '/images';
const filtered = `/images?name=${nameOf(7, IMAGES)}`;
const paths = Array.from({ length: MANIFESTS }, (_, n) => `/images/${imageOf(n, IMAGES).uuid}`);

export const cluster: Part = {
  name: 'cluster',
  title: 'Several daemons',
  about: `Two daemons on one PostgreSQL and one S3 store (Ceph, three OSDs in memory that keep two copies), all on this machine,
beside one embedded daemon. Reads are asked of one of the two, of ${IMAGES} images. Downloads are of ${SIZE / MIB} MiB from the store,
beside the store's own answer to a presigned URL of the same object, by the same client; and from the cache of the other
daemon, beside the embedded one. Memory is the most that the kernel has counted for a daemon while ${CROWD} clients download,
also of a pair that keeps nothing but the file. Creates are spread over both by ${WRITERS} clients; *alone* is a daemon on a database of its
own, which waits for nobody. Two daemons, PostgreSQL and the store share the cores that one daemon has for itself. The bench
fails where answers, bytes or counts differ from what they should be.`,
  measure,
};

interface Stage {
  embedded: Daemon;
  /** Reads from the store. */
  one: Member;
  /** Has a cache. */
  other: Member;
  /** On a database of its own. */
  alone: Member;
  tokens: { pair: string; alone: string };
  shared: Shared;
  /** For a pair that has little to keep. */
  light: Shared;
}

async function measure(bench: Bench): Promise<Findings> {
  const missing = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).filter((need) => !isMet[need]);
  if (missing.length > 0) return { rows: [], missing: missing.map((need) => `this machine has no ${need}`) };
  const stage = await prepare(bench);
  bench.say('comparing answers');
  await comparedAnswers(stage);
  return {
    rows: [...(await reads(bench, stage)), ...(await downloads(bench, stage)), ...(await writes(bench, stage))],
  };
}

async function prepare(bench: Bench): Promise<Stage> {
  bench.say('starting PostgreSQL and Ceph');
  const postgres = await startPostgres();
  const ceph = await startCeph();
  const shared: Shared = {
    database: await postgres.newDatabase(),
    bucket: await ceph.newBucket(),
    account: ceph,
    secretsKey: await newSecretsKey(bench),
  };
  bench.say(`filling catalogs with ${IMAGES} images`);
  const data = join(bench.directory, 'data');
  await withCatalog(openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') }), (one) => fill(one, IMAGES));
  await withCatalog(openShared(bench, shared, 'filling'), (one) => fill(one, IMAGES));
  bench.say('starting daemons');
  const embedded = await startDaemon(bench, data);
  const { one, other } = await startPair(bench, shared);
  const empty = async () => ({
    ...shared,
    database: await postgres.newDatabase(),
    bucket: await ceph.newBucket(),
  });
  const alone = await startMember(bench, 'alone', await empty(), ...PATIENT);
  const tokens = { pair: await tokenOf(one), alone: await tokenOf(alone) };
  return { embedded, one, other, alone, tokens, shared, light: await empty() };
}

async function startPair(bench: Bench, shared: Shared, named = ''): Promise<Pick<Stage, 'one' | 'other'>> {
  const one = await startMember(bench, `${named}one`, shared, ...PATIENT);
  const other = await startMember(bench, `${named}other`, shared, '--store-cache', String(CACHE), ...PATIENT);
  return { one, other };
}

function openShared({ directory }: Bench, { database }: Shared, name: string): Promise<Catalog> {
  const member = { name, version: '0' };
  return openCatalog({ kind: 'postgres', url: database, replica: join(directory, name), member, lease: LEASE });
}

const tokenOf = async ({ data }: Member) => (await readFile(join(data, 'admin-token'), 'utf8')).trim();

async function withCatalog<R>(opening: Promise<Catalog>, work: (catalog: Catalog) => Promise<R>): Promise<R> {
  const catalog = await opening;
  try {
    return await work(catalog);
  } finally {
    await catalog.close();
  }
}

async function comparedAnswers({ embedded, one, other }: Stage): Promise<void> {
  for (const path of [whole, filtered, ...paths]) {
    const wanted = await bodyOf(embedded, path);
    for (const member of [one, other]) {
      if (!wanted.equals(await bodyOf(member, path))) throw new Error(`${member.name} answers otherwise at ${path}`);
    }
  }
}

async function reads(bench: Bench, { embedded, one }: Stage): Promise<Row[]> {
  const ways: { what: string; ask: (server: Server) => Promise<PerRequest> }[] = [
    { what: `manifest, ${CONNECTIONS} connections`, ask: (server) => ask(server, paths, CONNECTIONS) },
    { what: `list of all ${IMAGES}`, ask: (server) => ask(server, [whole], 1) },
    { what: `list of ${OF_A_NAME} of a name`, ask: (server) => ask(server, [filtered], 1) },
  ];
  const rows: Row[] = [];
  const aim: Aim = { of: 'ratio', atMost: 1.2 };
  for (const { what, ask } of ways) {
    bench.say(what);
    const pairs = await inPairs(
      bench.runs,
      () => ask(one),
      () => ask(embedded),
    );
    rows.push(
      compared('embedded', pairs, { what, unit: 'ms', of: ({ time }) => time, aim }),
      compared('embedded', pairs, { what: `${what}: processor`, unit: 'ms', of: ({ cpu }) => cpu }),
    );
  }
  return rows;
}

const ask = ({ port, pid }: Server, paths: string[], connections: number) =>
  perRequest(pid, { port, paths, connections, seconds: SECONDS });

interface Measured {
  speed: number;
  cpu: number;
}

/** Where a file is to be had: from a daemon, or from the store itself. */
interface Place {
  port: number;
  path: string;
  pid?: number;
  host?: string;
}

async function downloads(bench: Bench, stage: Stage): Promise<Row[]> {
  const { embedded, one, other } = stage;
  bench.say('uploading a file');
  const file = join(bench.directory, 'random');
  const bytes = randomBytes(SIZE);
  await writeFile(file, bytes);
  const here = await addImage(embedded, file);
  const there = await uploaded(bench, stage.shared, stage.tokens.pair, file);
  const direct = await presigned(stage.shared);
  const places = {
    embedded: { ...embedded, path: `/images/${here}/file` },
    store: { ...one, path: `/images/${there}/file` },
    cache: { ...other, path: `/images/${there}/file` },
    direct,
  } satisfies Record<string, Place>;
  for (const [name, place] of Object.entries(places)) {
    if (!bytes.equals(await bytesOf(place))) throw new Error(`the file from ${name} is another one`);
  }
  const rows: Row[] = [];
  for (const clients of [1, 8, CROWD]) {
    const what = clients === 1 ? '1 client' : `${clients} clients`;
    const compare = async (title: string, ours: Place, peer: string, theirs: Place, aim?: Aim) => {
      bench.say(`${title}, ${what}`);
      const pairs = await inPairs(
        bench.runs,
        () => downloaded(ours, clients),
        () => downloaded(theirs, clients),
      );
      const speed = { what: `${title}, ${what}`, unit: 'GiB/s', of: (one: Measured) => one.speed, ...(aim && { aim }) };
      rows.push(compared(peer, pairs, speed));
      const cpu = { what: `${title}, ${what}: processor`, unit: 's/GiB', of: (one: Measured) => one.cpu };
      if (theirs.pid) rows.push(compared(peer, pairs, cpu));
    };
    for (const { pid } of [one, other]) await forgetPeakMemory(pid);
    await compare('download from the store', places.store, 'the store', direct, { of: 'ratio', atLeast: 0.8 });
    await compare('download from the cache', places.cache, 'embedded', places.embedded);
  }
  rows.push(...(await memoryRows({ one, other }, `, ${IMAGES} images`)));
  return [...rows, ...(await lightDownloads(bench, stage.light, file))];
}

async function lightDownloads(bench: Bench, shared: Shared, file: string): Promise<Row[]> {
  bench.say(`downloads from a pair that keeps nothing else, ${CROWD} clients`);
  const pair = await startPair(bench, shared, 'light-');
  const image = await uploaded(bench, shared, await tokenOf(pair.one), file);
  try {
    return await lightMemory(bench, pair, `/images/${image}/file`);
  } finally {
    // Creates are measured without them.
    await pair.one.stop();
    await pair.other.stop();
  }
}

async function lightMemory(bench: Bench, pair: Pick<Stage, 'one' | 'other'>, path: string): Promise<Row[]> {
  for (const member of [pair.one, pair.other]) {
    for (let run = 0; run < bench.runs; run += 1) await downloaded({ ...member, path }, CROWD);
  }
  return memoryRows(pair, '', { of: 'ours', atMost: MOST_MEMORY });
}

/** Through a daemon that is gone afterwards: what an upload leaves in memory is not a download's. */
async function uploaded(bench: Bench, shared: Shared, token: string, file: string): Promise<string> {
  const sender = await startMember(bench, `${shared.bucket}-sender`, shared, ...PATIENT);
  try {
    return await addImage({ ...sender, token }, file);
  } finally {
    await sender.stop();
  }
}

async function memoryRows({ one, other }: Pick<Stage, 'one' | 'other'>, of: string, aim?: Aim): Promise<Row[]> {
  const rowOf = async ({ pid }: Server, from: string): Promise<Row> => ({
    what: `memory at ${CROWD} clients, from ${from}${of}`,
    unit: 'MiB',
    ours: await peakMemoryOf(pid),
    ...(aim && { aim }),
    runs: 1,
  });
  return [await rowOf(one, 'the store'), await rowOf(other, 'the cache')];
}

/** The only object there is, from the store. */
async function presigned({ bucket, account }: Shared): Promise<Place> {
  const client = s3ClientOf(account);
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    const object = Contents.find(({ Size }) => Size === SIZE);
    const command = new GetObjectCommand({ Bucket: bucket, Key: object?.Key ?? '' });
    const { host, port, pathname, search } = new URL(await getSignedUrl(client, command, { expiresIn: 6 * 3600 }));
    return { port: Number(port), host, path: pathname + search };
  } finally {
    client.destroy();
  }
}

const bytesOf = async ({ port, path, host = `127.0.0.1:${port}` }: Place): Promise<Buffer> => {
  const response = await fetch(`http://${host}${path}`);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
};

async function downloaded({ port, path, pid, host }: Place, clients: number): Promise<Measured> {
  const job = { port, path, clients, times: clients === 1 ? 4 : 1, ...(host && { host }) };
  const before = pid ? await cpuSecondsOf(pid) : 0;
  const { bytes, seconds } = await runLoad<DownloadJob, Downloaded>(
    new URL('../load/download.js', import.meta.url),
    job,
  );
  const cpu = pid ? (await cpuSecondsOf(pid)) - before : 0;
  return { speed: bytes / 2 ** 30 / seconds, cpu: cpu / (bytes / 2 ** 30) };
}

async function writes(bench: Bench, stage: Stage): Promise<Row[]> {
  const { embedded, one, other, alone, tokens } = stage;
  const rows: Row[] = [];
  bench.say(`${CREATES} creates`);
  let run = 0;
  const create = async (ports: number[], token: string) => {
    const job = { ports, token, manifest: { ...wanted, name: `created-${run++}` }, images: CREATES, clients: WRITERS };
    return runLoad<CreatesJob, Created>(new URL('../load/creates.js', import.meta.url), job);
  };
  const pairs = await inPairs(
    bench.runs,
    () => create([one.port, other.port], tokens.pair),
    () => create([embedded.port], embedded.token),
  );
  rows.push(
    compared('embedded', pairs, { what: `${CREATES} creates, over both`, unit: 's', of: ({ seconds }) => seconds }),
  );
  // The pair that warms up has created, too, and the file of the downloads is an image.
  await counted(bench, stage.shared, IMAGES + 1 + (bench.runs + 1) * CREATES);
  const [shared, own] = [
    { ...one, token: tokens.pair },
    { ...alone, token: tokens.alone },
  ];
  for (const clients of [1, WRITERS]) {
    const what = clients === 1 ? 'a create, 1 client' : `a create, ${clients} clients`;
    for (const peer of [
      { name: 'alone', server: own },
      { name: 'embedded', server: embedded },
    ]) {
      bench.say(`${what}, beside ${peer.name}`);
      const pairs = await inPairs(
        bench.runs,
        () => posted(shared, clients),
        () => posted(peer.server, clients),
      );
      rows.push(compared(peer.name, pairs, { what, unit: 'ms', of: (time) => time }));
    }
  }
  return rows;
}

/** Every create counts its owner's images up: one that another has overwritten would be missing. */
async function counted(bench: Bench, shared: Shared, expected: number): Promise<void> {
  await withCatalog(openShared(bench, shared, 'counting'), async (catalog) => {
    const found = await catalog.get(usage, ofOwner(ADMIN.uuid));
    if (found?.images !== expected)
      throw new Error(`${found?.images} images are counted, and ${expected} were created`);
  });
}

/** Milliseconds. */
async function posted({ port, token }: Pick<Daemon, 'port' | 'token'>, clients: number): Promise<number> {
  const job = { port, path: '/images', token, body: JSON.stringify(wanted), clients, seconds: SECONDS };
  const { posts, seconds } = await runLoad<PostsJob, Posted>(new URL('../load/posts.js', import.meta.url), job);
  return (seconds / posts) * 1000;
}

/** What a client may say of a new image. */
const { name, version, type, os, description, homepage, requirements, tags } = imageOf(0, 1);
const wanted = { name, version, type, os, description, homepage, requirements, tags, public: true };

// What a site of two data centers might have after a year, as records: always the same, but for the time.
import { createHash } from 'node:crypto';
import { kinds, images as plan } from './images.mjs';

export const MIB = 2 ** 20;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const DISK = 120 * 1024 * MIB;

const digest = (algorithm, of) => createHash(algorithm).update(String(of)).digest('hex');
export const uuidOf = (name) =>
  digest('sha256', name).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');

const contentOf = (same) => ({
  sha1: digest('sha1', same),
  sha256: digest('sha256', same),
  contentMD5: createHash('md5').update(same).digest('base64'),
});

const disk = (size) => ({
  ...{ nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host' },
  image_size: 10_240 * Math.ceil((size * 3) / 10_240),
});

export function imageOf(one, { owner, now }) {
  const { name, alias, version, kind, size, age, label, golden, origin, bound, at, same = name } = one;
  const published = new Date(now - age * DAY).toISOString();
  const file = { size: size * MIB, mtime: published, stor: 'local', compression: 'gzip', ...contentOf(same) };
  return {
    ...{ v: 2, uuid: uuidOf(name), owner, name: alias, version, ...kinds[kind] },
    ...{ state: 'active', disabled: false, activated: true, public: bound === undefined, published_at: published },
    ...(kinds[kind].type === 'zvol' && disk(size)),
    ...(origin && { origin: uuidOf(origin) }),
    files: [file],
    description: `${alias} ${version}, as the team that looks after it has built it`,
    registration: {
      ...{ name, access: bound === undefined ? 'public' : 'private', datacenters: at },
      ...{ created: published, changed: published },
      ...(bound && { boundTo: bound }),
      ...(label && { label }),
      ...(golden && { golden }),
    },
  };
}

/** One for each content, held by all that have it. */
export function holdings(holderOf) {
  const found = new Map();
  for (const { name, same = name, size } of plan) {
    const { sha256 } = contentOf(same);
    const known = found.get(sha256) ?? { sha256, key: digest('md5', same), size: size * MIB, holders: [] };
    found.set(sha256, { ...known, holders: [...known.holders, holderOf(uuidOf(name))] });
  }
  return [...found.values()];
}

const hosts = [
  { name: 'fra-hv1', dc: 'fra', free: 0.41, platform: 'smartos', version: '20260902T000000Z' },
  { name: 'fra-hv2', dc: 'fra', free: 0.17, platform: 'smartos', version: '20260902T000000Z' },
  { name: 'fra-hv3', dc: 'fra', free: 0.62, platform: 'smartos', version: '20260708T000000Z' },
  { name: 'ams-hv1', dc: 'ams', free: 0.35, platform: 'linux-zfs', version: '6.12.43' },
  { name: 'ams-hv2', dc: 'ams', free: 0.04, platform: 'linux-zfs', version: '6.12.43' },
];

/** Their addresses are those of examples: there is nobody who would answer. */
export const nodesAt = (now) =>
  hosts.map(({ name, dc, free, platform, version }, n) => {
    const since = new Date(now - (n + 3) * DAY).toISOString();
    const connection = { address: `192.0.2.${10 + n}`, port: 22, user: 'root', hostKeys: [], places: [], platform };
    const described = { platform, hostname: name, version, tools: {}, brands: [], firmware: [], drivers: [] };
    const size = 8 * 1024 ** 2 * MIB;
    const pool = { name: 'zones', size, free: Math.round(size * free), health: 'ONLINE' };
    const here = plan.filter(({ at }) => at.includes(dc)).filter((_, at) => (at + n) % 3 !== 0);
    return {
      node: { name, datacenters: [dc], addresses: [], knownByAddress: false, connection, created: since },
      status: {
        node: name,
        online: true,
        since,
        inventoried: new Date(now - HOUR / 4).toISOString(),
        described: { ...described, pools: [pool] },
      },
      copies: here.map(({ name: image, size }) => ({
        ...{ node: name, pool: 'zones', image: uuidOf(image), state: 'ready', size: size * 2 * MIB, changed: since },
      })),
      machines: here.slice(0, 4 + (n % 3)).map(({ name: image }, m) => ({
        ...{ uuid: uuidOf(`${name} ${m}`), hostname: `${image.split('-')[0]}-${n}${m}`, datacenter: dc, node: name },
        ...{ tags: [], images: [{ image: uuidOf(image) }], state: 'active', created: since, changed: since },
      })),
    };
  });

const told = [
  [
    'import',
    'FAILURE',
    'ubuntu-26.04',
    { code: 'ChecksumMismatch', detail: 'the file of ubuntu-26.04 has another sha1 than its manifest says' },
    3,
  ],
  ['import', 'SUCCESS', 'ubuntu-24.04', {}, 30],
  [
    'pull',
    'FAILURE',
    'windows-2025',
    { code: 'NoSpace', detail: 'pool zones of ams-hv2 has 328 GiB free, 345 GiB are needed' },
    20,
  ],
  ['import', 'SUCCESS', 'debian-13', {}, 52],
];

export const tasksAt = (now, who) =>
  told.map(([what, status, name, result, hours]) => {
    const [created, finished] = [hours * HOUR, hours * HOUR - 90_000].map((ms) => new Date(now - ms).toISOString());
    const objects = [{ kind: 'images', id: uuidOf(name), name }];
    return {
      id: uuidOf(`${what} ${name}`),
      what,
      who,
      objects,
      status,
      result,
      created,
      started: created,
      finished,
      params: {},
      datacenter: 'fra',
    };
  });

/** As the day goes: little at night, most in the afternoon. */
const busyness = (ms) => 1.1 - Math.cos(((ms % DAY) / DAY - 0.08) * 2 * Math.PI) + 0.3 * Math.sin(ms / (7.3 * HOUR));
const placeOf = ({ at }) => [...at].sort().join(',');

/** How it stood, and what was moved in a stretch of time. */
function sampleAt(density, from, { every, now }) {
  const until = Math.min(from + every, now);
  const there = plan.filter(({ age }) => now - age * DAY <= until);
  const places = {};
  for (const one of plan) places[placeOf(one)] ??= { images: 0, bytes: 0 };
  for (const one of there) {
    places[placeOf(one)].images += 1;
    places[placeOf(one)].bytes += one.size * MIB;
  }
  for (const [n, figures] of Object.values(places).entries()) {
    // what is less than one in a step comes in some of the steps
    const part = ((from / every) * 0.618 + n * 0.37) % 1;
    const downloads = Math.max(0, Math.floor(((busyness(from) * every) / HOUR) * (3 - n * 0.6) + part));
    const fresh = there.filter((one) => now - one.age * DAY >= from && placeOf(one) === Object.keys(places)[n]);
    const taken = fresh.reduce((sum, { size }) => sum + size * MIB, 0);
    Object.assign(figures, { downloads, served: downloads * 700 * MIB });
    if (fresh.length > 0)
      Object.assign(figures, n % 2 ? { uploads: fresh.length, taken } : { imports: fresh.length, imported: taken });
  }
  const logical = there.reduce((sum, { size }) => sum + size * MIB, 0);
  const saved = there.reduce((sum, { size, same }) => sum + (same ? size * MIB : 0), 0);
  const used = logical - saved + 24 * 1024 * MIB + ((until - now) / DAY) * 0.35 * 1024 * MIB;
  return {
    ...{ density, from: new Date(from).toISOString(), at: new Date(until - 1).toISOString(), places },
    ...{ stored: logical - saved, saved, disk: { free: DISK - Math.max(0, used), size: DISK } },
  };
}

const SPANS = { minutes: 2 * DAY, hours: 60 * DAY, days: 370 * DAY };

export const samplesAt = (now, densities) =>
  Object.entries(SPANS).flatMap(([density, span]) => {
    const { every } = densities[density];
    const first = Math.floor((now - span) / every) * every;
    return Array.from({ length: Math.floor((now - first) / every) + 1 }, (_, n) =>
      sampleAt(density, first + n * every, { every, now }),
    );
  });

export function busyHour(now, hours) {
  const from = Math.floor((now - hours * HOUR) / HOUR) * HOUR;
  const many = Math.max(1, Math.round(busyness(from) * 4));
  const pulled = (id, place, part) => ({
    id,
    place,
    downloads: Math.ceil(many / part),
    bytes: Math.ceil(many / part) * 650 * MIB,
  });
  return {
    from: new Date(from).toISOString(),
    images: plan.slice(0, 12).map((one, n) => pulled(uuidOf(one.name), placeOf(one), 1 + ((n * 5) % 12))),
    nodes: hosts.map(({ name, dc }, n) => pulled(name, dc, 1 + n)),
  };
}

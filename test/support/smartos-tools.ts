import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/*
 * Stands in for tools of SmartOS that do not run here: `vmadm`, `imgadm`, `sysinfo`, `uname`. It keeps what there is in files of
 * a directory and answers as they do; datasets are real, by the `zfs` of this machine.
 */

interface Manifest {
  uuid: string;
  name: string;
  version: string;
  type: string;
  state: string;
  origin?: string;
  files: { size: number; sha1?: string; compression: string }[];
}

interface Installed {
  manifest: { uuid: string } & Partial<Manifest>;
  zpool: string;
  source?: string;
}

interface Source {
  url: string;
  type: string;
}

/** As the tools tell of it: `imgadm: error (CODE): MESSAGE`. */
class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 1,
  ) {
    super(message);
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const unpackers: Readonly<Record<string, string | undefined>> = { none: 'cat', gzip: 'gzip', bzip2: 'bzip2', xz: 'xz' };

const [tool = '', state = '', ...words] = process.argv.slice(2);
const print = (line: string) => process.stdout.write(`${line}\n`);
const printJson = (value: unknown) => print(JSON.stringify(value, null, 2));
const zfs = (...args: string[]) => execFileSync('zfs', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const has = (dataset: string) =>
  spawnSync('zfs', ['list', '-H', '-o', 'name', dataset], { stdio: 'ignore' }).status === 0;

async function json<T>(path: string, otherwise: T): Promise<T> {
  try {
    return JSON.parse(await readFile(join(state, path), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}

async function save(path: string, value: unknown): Promise<void> {
  const fresh = join(state, `${path}.${process.pid}`);
  await mkdir(join(fresh, '..'), { recursive: true });
  await writeFile(fresh, JSON.stringify(value));
  await rename(fresh, join(state, path));
}

/** `-P POOL -q X` as options and the rest; of those in `taking` each takes a value. */
function parse(args: readonly string[], taking: string): { options: Map<string, string>; rest: string[] } {
  const options = new Map<string, string>();
  const rest: string[] = [];
  let isOver = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (isOver || !word.startsWith('-')) rest.push(word);
    else if (word === '--') isOver = true;
    else if (taking.includes(word.slice(1))) options.set(word.slice(1), args[++at] ?? '');
    else for (const letter of word.slice(1)) options.set(letter, '');
  }
  return { options, rest };
}

// vmadm

type Vm = Record<string, unknown> & { uuid: string };

async function vms(): Promise<Vm[]> {
  const names = await readdir(join(state, 'vms')).catch(() => []);
  const found = await Promise.all(names.sort().map((name) => json<Vm | undefined>(join('vms', name), undefined)));
  return found.filter((vm) => vm !== undefined);
}

async function vmadm([command = '', ...args]: string[]): Promise<void> {
  if (command === 'get') {
    const found = (await vms()).find(({ uuid }) => uuid === args[0]);
    if (!found) {
      process.stderr.write(`Unable to get VM UUID: zone "${args[0]}" does not exist: No such zone configured\n`);
      process.exitCode = 1;
    } else printJson(found);
    return;
  }
  if (command !== 'lookup' && command !== 'list') {
    process.stderr.write(`Invalid command: '${command}'.\n`);
    process.exitCode = 2;
    return;
  }
  const { options, rest } = parse(args, 'os');
  const wanted = rest.map((term) => [term.slice(0, term.indexOf('=')), term.slice(term.indexOf('=') + 1)] as const);
  const found = (await vms()).filter((vm) => wanted.every(([key, value]) => String(vm[key]) === value));
  const fields = (options.get('o') ?? (command === 'list' ? 'uuid,type,ram,state,alias' : 'uuid')).split(',');
  if (command === 'lookup' && options.has('j')) {
    const limited = (vm: Vm) => Object.fromEntries(fields.filter((key) => key in vm).map((key) => [key, vm[key]]));
    printJson(found.map((vm) => (options.has('o') ? limited(vm) : vm)));
    return;
  }
  if (command === 'list' && !options.has('p') && !options.has('H')) print(fields.join('  ').toUpperCase());
  for (const vm of found) print(fields.map((key) => vm[key] ?? '-').join(options.has('p') ? ':' : '  '));
}

// imgadm

const installedAt = (pool: string, uuid: string) => join('images', `${pool}-${uuid}.json`);

async function installed(pool: string, uuid: string): Promise<Installed | undefined> {
  if (!has(`${pool}/${uuid}`)) return undefined;
  return json<Installed>(installedAt(pool, uuid), { manifest: { uuid }, zpool: pool });
}

/** Every dataset of a pool that is named as an image is one, unless it is a machine. */
async function listImages(): Promise<void> {
  const machines = new Set((await vms()).map((vm) => String(vm.zfs_filesystem)));
  const rows = await origins();
  const found: unknown[] = [];
  for (const [name] of rows) {
    const [pool = '', uuid = '', below] = name.split('/');
    if (below !== undefined || !UUID.test(uuid) || machines.has(name)) continue;
    const cloneNames = rows.filter(([, origin]) => origin.split('@')[0] === name).map(([clone]) => clone);
    found.push({ ...(await installed(pool, uuid)), cloneNames, clones: cloneNames.length });
  }
  printJson(found);
}

/** The datasets of the pools of this node, each with the snapshot that it is a clone of. */
async function origins(): Promise<[name: string, origin: string][]> {
  const { pools } = await platform();
  const lines = zfs('list', '-H', '-r', '-t', 'filesystem,volume', '-o', 'name,origin', ...pools)
    .trimEnd()
    .split('\n');
  return lines.map((line) => line.split('\t') as [name: string, origin: string]);
}

/** What zfs-fuse has mounted, as the real system has not, is busy for a moment. */
async function destroy(dataset: string): Promise<void> {
  for (let left = 1200; ; left -= 1) {
    try {
      zfs('destroy', '-r', dataset);
      return;
    } catch (error) {
      if (left === 0 || !`${error}`.includes('busy')) throw error;
      await pause(50);
    }
  }
}

async function deleteImage(pool: string, uuid: string): Promise<void> {
  if (!has(`${pool}/${uuid}`)) {
    throw new Refusal('ImageNotInstalled', `image "${uuid}" was not found on zpool "${pool}"`, 3);
  }
  const clones = (await origins()).filter(([, origin]) => origin.split('@')[0] === `${pool}/${uuid}`);
  if (clones.length > 0) {
    throw new Refusal('ImageHasDependentClones', `image "${uuid}" has dependent clones: ${clones[0]![0]}`);
  }
  await destroy(`${pool}/${uuid}`);
  await rm(join(state, installedAt(pool, uuid)), { force: true });
  print(`Deleted image ${uuid}`);
}

async function importImage(pool: string, uuid: string, only: string | undefined): Promise<void> {
  if (!UUID.test(uuid)) throw new Refusal('InvalidUUID', `invalid uuid: "${uuid}"`);
  const there = await installed(pool, uuid);
  if (there) {
    const { name, version } = there.manifest;
    print(`Image ${uuid}${name === undefined ? '' : ` (${name}@${version})`} is already installed, skipping`);
    return;
  }
  const sources = only === undefined ? (await configured()).filter(({ type }) => type === 'imgapi') : [{ url: only }];
  if (sources.length === 0) throw new Refusal('NoSources', 'imgadm has no configured sources');
  for (const { url } of sources) {
    const manifest = await manifestFrom(url, uuid);
    if (manifest?.state !== 'active') continue;
    print(`Importing ${uuid} (${manifest.name}@${manifest.version}) from "${url}"`);
    const chain = [manifest];
    for (let { origin } = manifest; origin !== undefined && !has(`${pool}/${origin}`); ) {
      const base = await manifestFrom(url, origin);
      if (!base) throw new Refusal('ActiveImageNotFound', `an active image "${origin}" was not found`);
      chain.unshift(base);
      origin = base.origin;
    }
    print(`Gather image ${uuid} ancestry`);
    for (const image of chain) await install(pool, image, url);
    return;
  }
  throw new Refusal('ActiveImageNotFound', `an active image "${uuid}" was not found`);
}

function curl(url: string, ...args: string[]): { status: number; said: string; out: string } {
  const all = ['-sS', '-H', 'Accept-Version: ~2', '-w', '%{http_code}', ...args, url];
  const { status, stdout, stderr } = spawnSync('curl', all, { encoding: 'utf8' });
  return { status: status ?? 1, said: stderr.trim(), out: stdout };
}

async function manifestFrom(source: string, uuid: string): Promise<Manifest | undefined> {
  const url = `${source.replace(/\/$/, '')}/images/${uuid}`;
  const { status, said, out } = curl(url);
  if (status !== 0) throw new Refusal('ClientError', `${source}: ${said}`);
  const [body, code] = [out.slice(0, -3), out.slice(-3)];
  if (code === '404') return undefined;
  if (code !== '200') throw new Refusal('InternalError', `${source}: ${code} ${body}`);
  return JSON.parse(body);
}

async function install(pool: string, manifest: Manifest, source: string): Promise<void> {
  const { uuid, name, version } = manifest;
  const [file] = manifest.files;
  if (!file) throw new Refusal('InvalidManifest', `manifest is invalid: image ${uuid} has no files`);
  const down = join(state, 'downloads', `${uuid}.file`);
  await mkdir(join(down, '..'), { recursive: true });
  const partial = `${pool}/${uuid}-partial`;
  if (has(partial)) zfs('destroy', '-r', partial);
  try {
    await download(`${source.replace(/\/$/, '')}/images/${uuid}/file`, down, file);
    const unpack = unpackers[file.compression];
    if (unpack === undefined) throw new Refusal('InvalidManifest', `unknown compression "${file.compression}"`);
    const unpacked = unpack === 'cat' ? 'cat' : `${unpack} -dc`;
    const received = spawnSync('sh', ['-c', `${unpacked} < "$1" | zfs receive -u "$2"`, 'sh', down, partial], {
      encoding: 'utf8',
    });
    if (received.status !== 0) throw new Refusal('InternalError', `zfs receive error: ${received.stderr.trim()}`);
    const listed = zfs('list', '-H', '-t', 'snapshot', '-o', 'name', '-r', partial);
    const snapshots = listed.trim().split('\n');
    if (snapshots.length !== 1) {
      throw new Refusal('UnexpectedNumberOfSnapshots', `image "${uuid}" has ${snapshots.length} snapshots`);
    }
    if (snapshots[0] !== `${partial}@final`) zfs('rename', snapshots[0]!, `${partial}@final`);
    zfs('rename', partial, `${pool}/${uuid}`);
    await save(installedAt(pool, uuid), { manifest, zpool: pool, source });
    print(`Imported image ${uuid} (${name}@${version})`);
  } catch (error) {
    if (has(partial)) zfs('destroy', '-r', partial);
    throw error;
  } finally {
    await rm(down, { force: true });
    await rm(`${down}.headers`, { force: true });
  }
}

async function download(url: string, to: string, file: Manifest['files'][number]): Promise<void> {
  const { status, said, out } = curl(url, '-L', '-o', to, '-D', `${to}.headers`);
  if (status !== 0) throw new Refusal('DownloadError', said);
  if (out !== '200') throw new Refusal('DownloadError', `unexpected status ${out}`);
  const [, length] = /^content-length: *(\d+)\r?$/im.exec(await readFile(`${to}.headers`, 'utf8')) ?? [];
  if (length === undefined) throw new Refusal('DownloadError', 'no content-length in the response');
  const { size } = await stat(to);
  if (Number(length) !== file.size || size !== file.size) {
    throw new Refusal('DownloadError', `size expected to be ${file.size}, but was ${size}`);
  }
  const sha1 = createHash('sha1');
  for await (const chunk of createReadStream(to)) sha1.update(chunk);
  const found = sha1.digest('hex');
  if (file.sha1 !== found) throw new Refusal('DownloadError', `sha1 expected to be ${file.sha1}, but was ${found}`);
}

const configured = async () =>
  (
    await json<{ sources: Source[] }>('imgadm.conf', {
      sources: [{ url: 'https://images.smartos.org', type: 'imgapi' }],
    })
  ).sources;

async function sources(args: readonly string[]): Promise<void> {
  const { options } = parse(args, 'adt');
  const there = await configured();
  const add = options.get('a');
  const remove = options.get('d');
  const type = options.get('t') ?? 'imgapi';
  if (add !== undefined) {
    if (!/^https?:\/\//.test(add)) throw new Refusal('Usage', `invalid source URL: "${add}"`);
    if (there.some(({ url }) => url === add)) {
      print(`Already have "${type}" image source "${add}", no change`);
      return;
    }
    if (!options.has('f')) {
      const { status, out } = curl(`${add.replace(/\/$/, '')}/ping`);
      if (status !== 0 || !out.endsWith('200') || JSON.parse(out.slice(0, -3)).imgapi !== true) {
        throw new Refusal('SourcePing', `unexpected ping error with image source "${add}" (${type})`);
      }
    }
    await save('imgadm.conf', { sources: [...there, { url: add, type }] });
    print(`Added "${type}" image source "${add}"`);
    return;
  }
  if (remove !== undefined) {
    const kept = there.filter(({ url }) => url !== remove);
    if (kept.length === there.length) print(`Do not have image source "${remove}", no change`);
    else {
      await save('imgadm.conf', { sources: kept });
      print(`Deleted "${type}" image source "${remove}"`);
    }
    return;
  }
  if (options.has('j')) printJson(there);
  else for (const { url } of there) print(url);
}

async function imgadm([command = '', ...args]: string[]): Promise<void> {
  if (command === '--version') {
    print('imgadm 3.11.0');
    return;
  }
  if (command === 'sources') return sources(args);
  const { options, rest } = parse(args, 'PSC');
  const pool = options.get('P') ?? 'zones';
  if (command === 'list') return listImages();
  if (rest.length !== 1) throw new Refusal('Usage', `incorrect number of args (${rest.length}): "${rest.join(' ')}"`);
  const [uuid = ''] = rest;
  if (command === 'import') return importImage(pool, uuid, options.get('S'));
  if (command === 'delete') return deleteImage(pool, uuid);
  if (command === 'get') {
    const found = await installed(pool, uuid);
    if (!found) throw new Refusal('ImageNotInstalled', `image "${uuid}" was not found on zpool "${pool}"`, 3);
    printJson(found);
    return;
  }
  throw new Refusal('UnknownCommand', `unknown command: "${command}"`);
}

// the platform

export interface PlatformFile {
  version: string;
  hostname: string;
  pools: string[];
  sysinfo: Record<string, unknown>;
}

const platform = () =>
  json<PlatformFile>('platform.json', {
    version: '20240111T000000Z',
    hostname: hostname(),
    pools: ['zones'],
    sysinfo: {},
  });

async function sysinfo(): Promise<void> {
  const { version, hostname, pools, sysinfo } = await platform();
  printJson({
    'Live Image': version,
    'System Type': 'SunOS',
    'Boot Time': '1704931200',
    'SDC Version': '7.0',
    Manufacturer: 'Supermicro',
    Product: 'Super Server',
    'Serial Number': '0123456789',
    'VM Capable': true,
    'Bhyve Capable': true,
    'Bhyve Max Vcpus': 64,
    'HVM API': true,
    'CPU Type': 'Intel(R) Xeon(R) CPU',
    'CPU Virtualization': 'vmx',
    'CPU Physical Cores': 1,
    UUID: '44454c4c-5000-104d-8037-b7c04f5a5131',
    Hostname: hostname,
    'CPU Total Cores': 8,
    'MiB of Memory': '65413',
    Zpool: pools[0],
    'Zpool Disks': 'c1t0d0,c1t1d0',
    'Zpool Profile': 'mirror',
    'Zpool Size in GiB': 899,
    'Boot Parameters': { smartos: 'true', console: 'text' },
    ...sysinfo,
  });
}

async function uname(args: string[]): Promise<void> {
  const { version, hostname } = await platform();
  const known = { s: 'SunOS', n: hostname, r: '5.11', v: `joyent_${version}`, m: 'i86pc' };
  const { options } = parse(args, '');
  const wanted = options.has('a') ? Object.keys(known) : options.size === 0 ? ['s'] : [...options.keys()];
  print(
    Object.entries(known)
      .filter(([key]) => wanted.includes(key))
      .map(([, value]) => value)
      .join(' '),
  );
}

const tools: Readonly<Record<string, (args: string[]) => Promise<void>>> = { vmadm, imgadm, sysinfo, uname };

try {
  await tools[tool]!(words);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${tool}: error (${error.code}): ${error.message}\n`);
  process.exitCode = error.status;
}

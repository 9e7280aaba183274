import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

export const sha1 = (bytes: string | Buffer) => createHash('sha1').update(bytes).digest('hex');
export const md5 = (bytes: string | Buffer) => createHash('md5').update(bytes).digest('base64');

export const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.from('icon')]);

type Fields = Record<string, unknown>;

/** An image as it lies in a directory of another server. */
export interface OldImage {
  uuid: string;
  /** An object is written as JSON; absent where there is no record. */
  record?: Fields | string | Buffer | undefined;
  archive?: Fields | string | undefined;
  /** By name, in the directory of the image. */
  files?: Record<string, string | Buffer>;
}

export const UPLOADED = '2015-03-04T05:06:07.000Z';
export const PUBLISHED = '2014-02-03T04:05:06.000Z';
export const OWNER = '7b315468-c6be-46dc-b99b-9c1f59224693';

/** A file as a record of a reference server describes it. */
export const recordedFile = (bytes: string | Buffer, more: Fields = {}): Fields => ({
  sha1: sha1(bytes),
  size: bytes.length,
  contentMD5: md5(bytes),
  mtime: UPLOADED,
  compression: 'gzip',
  stor: 'local',
  ...more,
});

/** A record as the reference writes them today, of an image whose file holds these bytes. */
export const currentRecord = (uuid: string, bytes: string | Buffer = `file of ${uuid}`, more: Fields = {}): Fields => ({
  v: 2,
  uuid,
  owner: OWNER,
  name: 'base-64',
  version: '14.1.0',
  state: 'active',
  disabled: false,
  activated: true,
  public: true,
  published_at: PUBLISHED,
  type: 'zone-dataset',
  os: 'smartos',
  files: [recordedFile(bytes)],
  ...more,
});

/** A whole image of the reference, with its copy in the archive. */
export function referenceImage(uuid: string, more: Fields = {}, bytes: string | Buffer = `file of ${uuid}`): OldImage {
  const record = currentRecord(uuid, bytes, more);
  return { uuid, record, files: { file0: bytes } };
}

const written = (content: Fields | string | Buffer) =>
  typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content, null, 2);

export async function put(path: string, content: Fields | string | Buffer): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, written(content));
  return path;
}

/** The base directory of a reference server with these images in it. */
export async function referenceDirectory(path: string, images: OldImage[], others: Record<string, string> = {}) {
  for (const name of ['manifests', 'images', 'archive', 'etc']) await mkdir(join(path, name), { recursive: true });
  for (const { uuid, record, archive, files = {} } of images) {
    const shard = uuid.slice(0, 3);
    if (record !== undefined) await put(join(path, 'manifests', `${uuid}.raw`), record);
    if (archive !== undefined) await put(join(path, 'archive', shard, `${uuid}.json`), archive);
    for (const [name, bytes] of Object.entries(files)) await put(join(path, 'images', shard, uuid, name), bytes);
  }
  for (const [name, content] of Object.entries(others)) await put(join(path, name), content);
  return path;
}

/** A manifest as Danube Cloud writes them. */
export const danubeManifest = (
  uuid: string,
  bytes: string | Buffer = `file of ${uuid}`,
  more: Fields = {},
): Fields => ({
  v: 2,
  uuid,
  owner: '00000000-0000-0000-0000-000000000000',
  name: 'centos-7',
  version: '1.0',
  state: 'active',
  disabled: false,
  public: true,
  published_at: '2016-05-06T07:08:09Z',
  type: 'zvol',
  os: 'linux',
  image_size: 10240,
  cpu_type: 'qemu64',
  nic_driver: 'virtio',
  disk_driver: 'virtio',
  description: 'CentOS',
  tags: { erigones: ['web'], resize: true, deploy: false, internal: false },
  files: [{ sha1: sha1(bytes), size: bytes.length, compression: 'gzip' }],
  ...more,
});

export const danubeImage = (uuid: string, more: Fields = {}, bytes: string | Buffer = `file of ${uuid}`): OldImage => ({
  uuid,
  record: danubeManifest(uuid, bytes, more),
  files: { file: bytes, 'file.md5': md5(bytes) },
});

/** The datasets directory of a Danube Cloud image server with these images in it. */
export async function danubeDirectory(path: string, images: OldImage[]) {
  await mkdir(path, { recursive: true });
  for (const { uuid, record, files = {} } of images) {
    await mkdir(join(path, uuid), { recursive: true });
    if (record !== undefined) await put(join(path, uuid, 'manifest'), record);
    for (const [name, bytes] of Object.entries(files)) await put(join(path, uuid, name), bytes);
  }
  return path;
}

/** All that is below a directory, with what would show that it was touched. */
export async function snapshot(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const at = join(entry.parentPath, entry.name);
    const { mtimeMs, mode } = await stat(at);
    const content = entry.isFile() ? sha1(await readFile(at)) : 'a directory';
    found[relative(path, at)] = `${mode.toString(8)} ${mtimeMs} ${content}`;
  }
  return found;
}

import { basename, join, relative } from 'node:path';
import { isUuid } from '../../imgapi/image.js';
import type { LeftDirectory, LeftRecord, Part, Survey } from '../sources.js';
import { parts } from '../sources.js';
import { entriesOf, isDirectory, leftFile, leftRecord, mayBeDirectory } from './left-files.js';

/**
 *   <path>/
 *     manifests/<uuid>.raw                        records
 *     archive/<first three>/<uuid>.json           manifests, written beside
 *     images/<first three>/<uuid>/file0, file1, icon
 *     etc/imgapi.config.json
 *     etc/authkeys/{local,manta}/<user>.keys
 */
export async function openReferenceDirectory(path: string): Promise<LeftDirectory | undefined> {
  const there = async (name: string) => isDirectory(join(path, name));
  const isIt = (await there('manifests')) || ((await there('images')) && (await there('archive')));
  return isIt ? new ReferenceDirectory(path) : undefined;
}

class ReferenceDirectory implements LeftDirectory {
  readonly what = 'the base directory of a reference server';
  readonly unsaidState = undefined;

  constructor(readonly path: string) {}

  async survey(signal: AbortSignal): Promise<Survey> {
    const strays: string[] = [];
    const uuids = await this.#recorded(strays);
    const { archived, gone } = await this.#archivedOnly(new Set(uuids), signal);
    uuids.push(...archived);
    if (gone > 0) strays.push(`archive: manifests without record and file, of images that were deleted there: ${gone}`);
    await this.#collectStrays(new Set(uuids), strays, signal);
    return { uuids, strays };
  }

  async records(uuid: string): Promise<LeftRecord[]> {
    const places = [join(this.path, 'manifests', `${uuid}.raw`), this.#archivePath(uuid)];
    const found = await Promise.all(places.map(leftRecord));
    return found.filter((record) => record !== undefined);
  }

  file(uuid: string, part: Part) {
    return leftFile(join(this.#filesPath(uuid), part));
  }

  async rememberedMd5() {
    return undefined;
  }

  async keyFiles() {
    const found: { name: string; record: LeftRecord }[] = [];
    for (const folder of ['local', 'manta']) {
      const directory = join(this.path, 'etc', 'authkeys', folder);
      for (const { name } of await entriesOf(directory)) {
        const record = name.endsWith('.keys') ? await leftRecord(join(directory, name)) : undefined;
        if (record) found.push({ name: `${folder}/${name}`, record });
      }
    }
    return found;
  }

  async configuration() {
    const path = join(this.path, 'etc', 'imgapi.config.json');
    const record = await leftRecord(path);
    return record && { path, mode: await modeIn(record) };
  }

  async #recorded(strays: string[]): Promise<string[]> {
    const uuids: string[] = [];
    for (const { name } of await entriesOf(join(this.path, 'manifests'))) {
      const uuid = basename(name, '.raw');
      if (isUuid(uuid) && name.endsWith('.raw')) uuids.push(uuid);
      else strays.push(`manifests/${name}: its name is not that of a record, which is UUID.raw`);
    }
    return uuids;
  }

  /** A deletion leaves the copy in the archive, but not the file: where both are there, the record was lost. */
  async #archivedOnly(recorded: ReadonlySet<string>, signal: AbortSignal) {
    const archived: string[] = [];
    let gone = 0;
    for (const shard of await entriesOf(join(this.path, 'archive'))) {
      signal.throwIfAborted();
      for (const { name } of await entriesOf(join(this.path, 'archive', shard.name))) {
        const uuid = basename(name, '.json');
        if (!isUuid(uuid) || recorded.has(uuid) || !uuid.startsWith(shard.name)) continue;
        if (await this.file(uuid, 'file0')) archived.push(uuid);
        else gone += 1;
      }
    }
    return { archived, gone };
  }

  async #collectStrays(known: ReadonlySet<string>, strays: string[], signal: AbortSignal): Promise<void> {
    const images = join(this.path, 'images');
    for (const shard of await entriesOf(images)) {
      signal.throwIfAborted();
      if (!mayBeDirectory(shard)) strays.push(`images/${shard.name}: belongs to no image`);
      for (const { name: uuid } of await entriesOf(join(images, shard.name))) {
        const place = relative(this.path, join(images, shard.name, uuid));
        if (!known.has(uuid) || !uuid.startsWith(shard.name)) strays.push(`${place}: belongs to no image`);
        else
          strays.push(...(await this.#leftovers(uuid)).map((name) => `${place}/${name}: an upload that was cut off`));
      }
    }
  }

  async #leftovers(uuid: string): Promise<string[]> {
    const names = (await entriesOf(this.#filesPath(uuid))).map(({ name }) => name);
    return names.filter((name) => !parts.some((part) => part === name));
  }

  #filesPath = (uuid: string) => join(this.path, 'images', uuid.slice(0, 3), uuid);
  #archivePath = (uuid: string) => join(this.path, 'archive', uuid.slice(0, 3), `${uuid}.json`);
}

/** All else in there is for whoever reads configurations; one that can't be read is no concern here. */
async function modeIn(record: LeftRecord): Promise<string | undefined> {
  try {
    const { mode = 'public' } = Object(JSON.parse(await record.text()));
    return String(mode);
  } catch {
    return undefined;
  }
}

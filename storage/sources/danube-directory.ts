import { join } from 'node:path';
import { isUuid } from '../../imgapi/image.js';
import type { LeftDirectory, LeftRecord, Part, Survey } from '../sources.js';
import { entriesOf, leftFile, leftRecord, mayBeDirectory } from './left-files.js';

const names = ['manifest', 'file', 'file.md5', 'icon'];

/** `<path>/<uuid>/manifest`, `file`, and `file.md5` once it was asked for. */
export async function openDanubeDirectory(path: string): Promise<LeftDirectory | undefined> {
  for (const entry of await entriesOf(path)) {
    if (!isUuid(entry.name) || !mayBeDirectory(entry)) continue;
    const inside = (await entriesOf(join(path, entry.name))).map(({ name }) => name);
    if (inside.includes('manifest') || inside.includes('file')) return new DanubeDirectory(path);
  }
  return undefined;
}

class DanubeDirectory implements LeftDirectory {
  readonly what = 'the datasets directory of a Danube Cloud image server';
  readonly unsaidState = 'active';

  constructor(readonly path: string) {}

  async survey(signal: AbortSignal): Promise<Survey> {
    const uuids: string[] = [];
    const strays: string[] = [];
    for (const entry of await entriesOf(this.path)) {
      signal.throwIfAborted();
      const { name } = entry;
      if (!isUuid(name) || !mayBeDirectory(entry)) {
        strays.push(`${name}: is no directory of an image`);
        continue;
      }
      const inside = (await entriesOf(join(this.path, name))).map((found) => found.name);
      // the manifest is written last
      if (inside.includes('manifest')) uuids.push(name);
      else strays.push(`${name}: has no manifest, so its import never ended`);
      strays.push(
        ...inside.filter((file) => !names.includes(file)).map((file) => `${name}/${file}: is no part of an image`),
      );
    }
    return { uuids, strays };
  }

  async records(uuid: string): Promise<LeftRecord[]> {
    const record = await leftRecord(join(this.path, uuid, 'manifest'));
    return record ? [record] : [];
  }

  async file(uuid: string, part: Part) {
    return part === 'file1' ? undefined : leftFile(join(this.path, uuid, part === 'file0' ? 'file' : part));
  }

  /** One release wrote it as Python shows bytes: b'…'. */
  async rememberedMd5(uuid: string): Promise<string | undefined> {
    const record = await leftRecord(join(this.path, uuid, 'file.md5'));
    const text = await record?.text();
    return text?.trim().replace(/^b'(.*)'$/, '$1') || undefined;
  }

  async keyFiles() {
    return [];
  }

  async configuration() {
    return undefined;
  }
}

import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../../imgapi/checks.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import { type Folder, MOST_OF_A_MANIFEST, type RemoteFile } from '../sources.js';
import { entriesOf } from './left-files.js';

/** Images that an operator has put there: `<path>/<uuid>/manifest` and `file`, and perhaps `icon`. */
export const openFolder = (path: string): Folder => new LocalFolder(path);

class LocalFolder implements Folder {
  readonly what: string;

  constructor(readonly path: string) {
    this.what = `the folder ${path}`;
  }

  async *list(signal: AbortSignal): AsyncGenerator<Record<string, unknown>> {
    for (const { name } of await entriesOf(this.path)) {
      signal.throwIfAborted();
      if (!isUuid(name)) continue;
      const manifest = await this.#manifest(name).catch(unlisted);
      if (manifest && (await isFile(this.#at(name, 'file')))) yield manifest;
    }
  }

  async describe(uuid: string): Promise<Record<string, unknown>> {
    const manifest = await this.#manifest(uuid);
    const files: unknown[] = Array.isArray(manifest.files) ? manifest.files : [];
    const isProvable = files.every((file) => isRecord(file) && (file.sha1 ?? file.sha256) !== undefined);
    if (files.length > 0 && isProvable) {
      return { ...manifest, icon: await isFile(this.#at(uuid, 'icon')) };
    }
    throw new ImgapiError('Download', `${this.what} has no checksum of the file of image ${uuid}`);
  }

  file(uuid: string): RemoteFile {
    return fileAt(this.#at(uuid, 'file'));
  }

  icon(uuid: string): RemoteFile {
    return fileAt(this.#at(uuid, 'icon'));
  }

  #at(uuid: string, part: 'manifest' | 'file' | 'icon'): string {
    if (!isUuid(uuid)) throw absent(`${this.what} has no image "${uuid}"`);
    return join(this.path, uuid, part);
  }

  async #manifest(uuid: string): Promise<Record<string, unknown>> {
    const path = this.#at(uuid, 'manifest');
    const handle = await openFile(path);
    try {
      const { size } = await handle.stat();
      if (size > MOST_OF_A_MANIFEST)
        throw new ImgapiError('InvalidContent', `${path} has ${size} bytes, which are too many`);
      const manifest: unknown = JSON.parse(await handle.readFile('utf8'));
      if (isRecord(manifest) && manifest.uuid === uuid) return manifest;
      throw new ImgapiError('InvalidContent', `${path} is not the manifest of image ${uuid}`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new ImgapiError('InvalidContent', `${path} is no JSON`, { cause: error });
    } finally {
      await handle.close();
    }
  }
}

/** What is half there, or no image, is not listed; a disk that fails is told. */
function unlisted(error: unknown): undefined {
  if (error instanceof ImgapiError && ['ResourceNotFound', 'InvalidContent'].includes(error.code)) return undefined;
  throw error;
}

const absent = (message: string, cause?: unknown) => new ImgapiError('ResourceNotFound', message, { cause });

function fileAt(path: string): RemoteFile {
  return {
    what: path,
    path,
    open: async ({ from }) => {
      const handle = await openFile(path);
      const { size, mtimeMs, ino } = await handle.stat();
      const body = handle.createReadStream({ start: from, highWaterMark: 512 << 10 });
      return { from, size, mark: `${ino}-${size}-${mtimeMs}`, body };
    },
  };
}

/** An ordinary file only: to open anything else may never return, and a link may lead anywhere. */
async function openFile(path: string) {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) throw absent(`there is no file ${path}`, cause);
    throw new ImgapiError('Download', `${path} can not be read: ${(cause as Error).message}`, { cause });
  }
  throw absent(`${path} is no file`);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch {
    return false; // not there, or not for us
  }
}

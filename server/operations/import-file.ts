import { randomUUID } from 'node:crypto';
import type { DiskFormat } from '../../imgapi/disk-format.js';
import { readDraft } from '../../imgapi/draft.js';
import { invalidInput } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Packing } from '../../imgapi/packing.js';
import { inspect, NotTaken } from '../../storage/inspect.js';
import { ENOUGH } from '../../storage/unpack-head.js';
import type { Deps } from '../deps.js';
import { manifestOfFile, type SaidOfFile } from '../model/bare-file.js';
import type { Caller } from '../model/caller.js';
import { type AnnouncedFile, BadSource, type ImportSource } from '../model/import.js';
import type { ManagedImage } from '../model/registration.js';
import type { Started } from '../model/task.js';
import { checkAuthorityOf } from './check-authority.js';
import { accessOf, begin, type ImportWish, orderOf, told } from './import-managed.js';
import { openSource } from './open-source.js';
import { asked, PATIENCE } from './plan-import.js';

export interface FileWish extends SaidOfFile {
  file_url: string;
  secret?: string | undefined;
  format?: DiskFormat | undefined;
  compression?: Packing | undefined;
  size?: number | undefined;
  sha1?: string | undefined;
  sha256?: string | undefined;
}

/** An image of nothing but a file somewhere: what it is, is found in its first bytes, and held against what is said of it. */
export async function importFile(
  deps: Deps,
  caller: Caller,
  wish: ImportWish & { name: string },
  said: FileWish,
): Promise<Started | ManagedImage> {
  const order = await orderOf(deps, caller, wish);
  const { file_url: file, secret } = said;
  const access = await accessOf(deps, caller, wish, { file_url: file, secret });
  const from: ImportSource = { kind: 'url', file, access };
  return told({ manifest: 'file_url', file: 'file_url' }, async () => {
    const { head, size } = await beginningOf(deps, from, said.size);
    const found = await inspect(head, { packing: said.compression, format: said.format }).catch(tell);
    const { packing, format } = found;
    const uuid = isUuid(said.manifest?.uuid) ? said.manifest.uuid : randomUUID();
    checkAuthorityOf(deps, caller, uuid);
    const disk = found.size ?? (packing === 'none' && format === 'raw' ? size : undefined);
    const manifest = manifestOfFile(uuid, said, { packing, format, disk });
    const name = wish.alias ?? wish.name;
    const draft = readDraft('import', { name, version: '1.0', ...manifest });
    return begin(deps, order, [{ uuid, from, file: announced(said, found, size), draft }]);
  });
}

/** What nodes can not unpack is packed anew: so much of it is as it was promised, and no more is known of what it becomes. */
function announced(
  { sha1, sha256 }: FileWish,
  { packing, format }: { packing: Packing; format: DiskFormat },
  size: number | undefined,
): AnnouncedFile {
  const promised = {
    ...(size !== undefined && { size }),
    ...(sha1 !== undefined && { sha1 }),
    ...(sha256 !== undefined && { sha256 }),
  };
  if (packing === 'zstd') return { compression: 'gzip', inside: { packing, format, promised } };
  return { ...promised, compression: packing, inside: { packing, format } };
}

/** As much as tells what it is; how long the whole is, where the source knows. */
async function beginningOf(deps: Deps, from: ImportSource, expected: number | undefined) {
  const signal = AbortSignal.timeout(PATIENCE);
  const source = await openSource(deps, from);
  return asked('file', source, signal, async () => {
    const { body, size } = await source.file('').open({ from: 0 }, signal);
    if (expected !== undefined && size !== undefined && size !== expected) {
      body.on('error', () => {}).destroy();
      throw new BadSource('file', `${source.what} has ${size} bytes there, where ${expected} are expected`);
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= ENOUGH) break;
    }
    if (bytes === 0) throw new BadSource('file', `${source.what} has an empty file there`);
    return { head: Buffer.concat(chunks), size: size ?? expected };
  });
}

function tell(error: unknown): never {
  if (!(error instanceof NotTaken)) throw error;
  const field = error.field === 'file' ? 'file_url' : error.field;
  throw invalidInput([{ field, code: 'Invalid', message: `${field}: ${error.message}` }]);
}

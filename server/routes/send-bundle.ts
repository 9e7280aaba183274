import type { Bundle } from '../../storage/bundle.js';
import { StorageDown } from '../../storage/errors.js';
import { type TarFile, wholeOf } from '../../storage/tar.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import type { HeldSocket } from '../kernel.js';
import { moveByKernel } from '../send-by-kernel.js';
import { write, writeLast } from '../socket-writing.js';

/** Less is sent before the kernel has been asked. */
const WORTH_THE_KERNEL = 256 << 10;

/** The files in it are moved by the kernel where it can; what fails breaks the connection. */
export async function sendBundle(ctx: Context, deps: Deps, bundle: Bundle): Promise<void> {
  const { res, req } = ctx;
  ctx.set('Content-Length', String(bundle.size));
  ctx.respond = false;
  if (ctx.method === 'HEAD') {
    res.end();
    return;
  }
  const held = deps.blobs.openFile && deps.kernel?.hold(req.socket);
  // What the kernel moves, Node does not count: then it is the size of each file that is looked at.
  res.strictContentLength = held === undefined;
  try {
    for await (const part of bundle.parts()) {
      if (part instanceof Uint8Array) await write(res, part);
      else await sendPart(ctx, deps, part, held);
    }
    await writeLast(res, new Uint8Array());
  } finally {
    held?.release();
  }
}

async function sendPart({ res }: Context, { blobs }: Deps, part: TarFile, held: HeldSocket | undefined): Promise<void> {
  const { key, size } = part;
  if (!held || key === undefined || size < WORTH_THE_KERNEL) {
    for await (const chunk of wholeOf(part)) await write(res, chunk);
    return;
  }
  const file = await blobs.openFile?.(key);
  if (!file) {
    for await (const chunk of wholeOf(part)) await write(res, chunk);
    return;
  }
  try {
    if (file.size !== size) throw new StorageDown(`blob ${key}`, `it has ${file.size} bytes instead of ${size}`);
    await moveByKernel(res, file, { start: 0, end: size - 1 }, held);
  } finally {
    await file.close();
  }
}

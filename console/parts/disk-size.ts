import { HEAD, packingOf } from './packing.js';

const QCOW2 = 0x51_46_49_fb;
/** As packed as the others, whatever it is uploaded as. */
const ZSTD = 0x28_b5_2f_fd;
const ZFS_STREAM = 0x2_f5_ba_cb_acn;
/** As much of a file tells. */
const TELLING = 32;

/** How large the disk is that is in a file of this computer, in bytes; nothing where its beginning does not say. */
export async function diskSizeOf(file: Blob): Promise<number | undefined> {
  const head = await file.slice(0, TELLING).arrayBuffer();
  if (packingOf(new Uint8Array(head, 0, Math.min(HEAD, head.byteLength))) !== 'none') return undefined;
  if (head.byteLength < TELLING) return file.size;
  const view = new DataView(head);
  if (view.getUint32(0) === ZSTD) return undefined;
  if (view.getUint32(0) === QCOW2) return Number(view.getBigUint64(24));
  return [true, false].some((little) => view.getBigUint64(8, little) === ZFS_STREAM) ? undefined : file.size;
}

/** What is in the file of an image, once it is unpacked. */
export const diskFormats = ['raw', 'qcow2', 'vmdk', 'zfs', 'tar'] as const;
export type DiskFormat = (typeof diskFormats)[number];

/** What the first bytes of a file say. */
export type Look =
  /** `size`: of the disk as a machine sees it, where the format says. */
  | { format: DiskFormat; size?: number }
  /** Nothing that is known: it may be a raw disk, which can begin with anything. */
  | { format: undefined }
  | { refused: string };

/** So many bytes, unpacked, are enough to tell. */
export const TELLING = 64 << 10;

type Recognizer = (head: DataView) => Look | undefined;

const QCOW2 = 0x51_46_49_fb;
const EXTERNAL_DATA = 4n;

/** Another file that the disk builds on could be any file of whoever opens it. */
const qcow2: Recognizer = (head) => {
  if (!has(head, 104) || head.getUint32(0) !== QCOW2) return undefined;
  const version = head.getUint32(4);
  if (version !== 2 && version !== 3) return { refused: `it is a qcow of version ${version}, where 2 and 3 are taken` };
  if (head.getBigUint64(8) !== 0n) return { refused: 'it is a qcow2 that builds on another file (its backing file)' };
  if (version === 3 && (head.getBigUint64(72) & EXTERNAL_DATA) !== 0n) {
    return { refused: 'it is a qcow2 that keeps its data in another file' };
  }
  return { format: 'qcow2', size: Number(head.getBigUint64(24)) };
};

const SECTOR = 512;

const vmdk: Recognizer = (head) => {
  const isSparse = textAt(head, 0, 4) === 'KDMV';
  const described = isSparse ? descriptorOf(head) : textAt(head, 0, TELLING);
  if (!isSparse && !described.startsWith('# Disk DescriptorFile')) return undefined;
  const parent = /^\s*parentCID\s*=\s*(\w+)/im.exec(described)?.[1]?.toLowerCase() ?? 'ffffffff';
  const extents = [...described.matchAll(/^\s*(?:RW|RDONLY|NOACCESS)\s+\d+\s+(\w+)/gim)].map(([, kind]) => kind);
  const isAlone = isSparse && extents.length === 1 && extents.every((kind) => kind?.toUpperCase() === 'SPARSE');
  if (isAlone && parent === 'ffffffff' && !/parentFileNameHint/i.test(described)) {
    return { format: 'vmdk', size: Number(head.getBigUint64(12, true)) * SECTOR };
  }
  return { refused: 'it is a vmdk that is not all in this file: convert it to one that is (streamOptimized)' };
};

function descriptorOf(head: DataView): string {
  if (!has(head, SECTOR)) return '';
  const at = Number(head.getBigUint64(28, true)) * SECTOR;
  return textAt(head, at, Math.min(Number(head.getBigUint64(36, true)) * SECTOR, TELLING));
}

const ZFS_STREAM = 0x2_f5_ba_cb_acn;

const zfs: Recognizer = (head) => {
  if (!has(head, 16)) return undefined;
  return [true, false].some((little) => head.getBigUint64(8, little) === ZFS_STREAM) ? { format: 'zfs' } : undefined;
};

const tar: Recognizer = (head) => (textAt(head, 257, 5) === 'ustar' ? { format: 'tar' } : undefined);

/** Where what makes a raw disk bootable, or what is on it, says what it is. */
const marks: [at: number, mark: string][] = [
  [510, '\x55\xaa'],
  [512, 'EFI PART'],
  [1080, '\x53\xef'],
  [0, 'XFSB'],
  [536, 'LVM2'],
  [32_769, 'CD001'],
];

const raw: Recognizer = (head) =>
  marks.some(([at, mark]) => textAt(head, at, mark.length) === mark) ? { format: 'raw' } : undefined;

/** What is mistaken for an image most often, or could build on other files in ways that nobody checks here. */
const others: [at: number, mark: string, what: string][] = [
  [0, 'QED\0', 'a qed disk'],
  [0, 'vhdxfile', 'a vhdx disk'],
  [0, 'conectix', 'a vhd disk'],
  [64, '\x7f\x10\xda\xbe', 'a vdi disk'],
  [0, 'LUKS\xba\xbe', 'an encrypted disk (LUKS)'],
  [0, 'PK\x03\x04', 'a zip archive'],
  [0, '%PDF-', 'a PDF'],
];

const other: Recognizer = (head) => {
  const found = others.find(([at, mark]) => textAt(head, at, mark.length) === mark);
  if (found) return { refused: `it is ${found[2]}: convert it to one of ${diskFormats.join(', ')}` };
  return /^\s*<(!doctype\s+html|html|\?xml)/i.test(textAt(head, 0, 256))
    ? { refused: 'it is a page, not an image' }
    : undefined;
};

const recognizers: readonly Recognizer[] = [qcow2, vmdk, zfs, tar, other, raw];

/** Of a file whose first bytes, unpacked, these are. */
export function lookAt(head: Uint8Array): Look {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (const recognize of recognizers) {
    const look = recognize(view);
    if (look) return look;
  }
  return { format: undefined };
}

const has = (head: DataView, bytes: number) => head.byteLength >= bytes;

function textAt({ buffer, byteOffset, byteLength }: DataView, at: number, length: number): string {
  if (at >= byteLength) return '';
  return Buffer.from(buffer, byteOffset + at, Math.min(length, byteLength - at)).toString('latin1');
}

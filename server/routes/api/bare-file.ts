import { z } from 'zod';
import { diskFormats } from '../../../imgapi/disk-format.js';
import { oses, types } from '../../../imgapi/image.js';
import { packings } from '../../../imgapi/packing.js';
import type { OsType } from '../../model/os-types.js';
import { whole } from './values.js';

const digest = (length: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${length}}$`, 'i'))
    .transform((text) => text.toLowerCase());

const osType = whole(1, 6).transform((number) => number as OsType);

/** What is said by hand of a file that no manifest describes. */
export const ofFile = {
  os: z.enum(oses).optional().describe('of a bare file: what it runs; or ostype'),
  type: z.enum(types).optional().describe('of a bare file: zvol for a zfs stream and other for all else, unless given'),
  ostype: osType.optional().describe('of a bare file: os and type by their number'),
  format: z
    .enum(diskFormats)
    .optional()
    .describe('of a bare file: found in its bytes, and refused where it is another'),
  compression: z
    .enum(packings)
    .optional()
    .describe('of a bare file: likewise; what is packed with zstd is kept as gzip'),
  image_size: whole(1).optional().describe('of a bare file of type zvol: the size of the disk, in MiB'),
  size: whole(1).optional().describe('of a bare file, in bytes'),
  sha1: digest(40).optional().describe('of a bare file, as it is sent'),
  sha256: digest(64).optional().describe('of a bare file, as it is sent'),
};

type OfFile = { [Field in keyof typeof ofFile]?: z.output<(typeof ofFile)[Field]> };

/** What is said of the file, and what of the image. */
export function parted<T extends OfFile>(body: T): [OfFile, Omit<T, keyof OfFile>] {
  const { os, type, ostype, format, compression, image_size, size, sha1, sha256, ...fields } = body;
  return [{ os, type, ostype, format, compression, image_size, size, sha1, sha256 }, fields];
}

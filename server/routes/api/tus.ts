import { z } from 'zod';
import { ImgapiError, invalidInput } from '../../../imgapi/errors.js';
import { compressions } from '../../../imgapi/image.js';
import type { Context } from '../../context.js';
import type { Policy } from '../../deps.js';
import type { Checksum } from '../../operations/continue-upload.js';
import { parse } from './input.js';

// The headers of resumable uploads: https://tus.io/protocols/resumable-upload, version 1.0.0.

export const VERSION = '1.0.0';
export const PART = 'application/offset+octet-stream';

const algorithms = ['sha1', 'md5', 'sha256'] as const;

/** What this server knows of the protocol. */
export const announced = ({ maxFileSize }: Pick<Policy, 'maxFileSize'>): Record<string, string> => ({
  'Tus-Resumable': VERSION,
  'Tus-Version': VERSION,
  'Tus-Extension': 'creation,creation-with-upload,expiration,termination,checksum',
  'Tus-Checksum-Algorithm': algorithms.join(','),
  'Tus-Max-Size': String(maxFileSize),
});

/** Both sides say which version they speak. */
export function speakTus(ctx: Context): void {
  ctx.set('Tus-Resumable', VERSION);
  const spoken = ctx.get('tus-resumable');
  if (spoken === VERSION) return;
  const said = spoken === '' ? 'does not say Tus-Resumable' : `says Tus-Resumable: ${spoken.slice(0, 20)}`;
  throw new ImgapiError('PreconditionFailed', `the request ${said}: this server speaks ${VERSION}`, {
    headers: { 'Tus-Version': VERSION },
  });
}

const given = (ctx: Context, name: string) => ctx.get(name) || undefined;

const wrong = (field: string, message: string, code: 'Invalid' | 'MissingParameter' = 'Invalid') =>
  invalidInput([{ field, code, message: `${field} ${message}` }]);

/** A number of bytes in a header. */
export function bytesIn(ctx: Context, name: string, least = 0): number {
  const text = given(ctx, name);
  if (text === undefined) throw wrong(name, 'is missing', 'MissingParameter');
  if (!/^\d{1,15}$/.test(text)) throw wrong(name, 'is not a number of bytes');
  if (Number(text) < least) throw wrong(name, `is ${text}, but ${least} at least is needed`);
  return Number(text);
}

/** Nothing where the body comes in chunks. */
export function lengthOfBody(ctx: Context): number | undefined {
  if (given(ctx, 'transfer-encoding') !== undefined) return undefined;
  // Not ctx.request.length, which is cut to 32 bits.
  return Number(given(ctx, 'content-length') ?? 0);
}

export function checkIsPart(ctx: Context): void {
  if (ctx.request.type === PART) return;
  throw new ImgapiError('UnsupportedMediaType', `the body is not ${PART}`);
}

/** `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=` */
export function checksumOf(ctx: Context): Checksum | undefined {
  const name = 'Upload-Checksum';
  const text = given(ctx, name);
  if (text === undefined) return undefined;
  const [called, value = ''] = text.split(' ');
  const algorithm = algorithms.find((known) => known === called);
  if (!algorithm) throw wrong(name, `is by none of ${algorithms.join(', ')}`);
  return { algorithm, digest: Buffer.from(value, 'base64').toString('hex') };
}

const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digits}}$`, 'i'), `is not ${digits} hexadecimal digits`)
    .toLowerCase();

/** Clients tell more than we ask for. */
const metadata = z.object({
  image: z.string().min(1, 'is empty').max(512, 'is longer than 512 characters'),
  dc: z.string().max(64, 'is longer than 64 characters').optional(),
  sha256: hex(64).optional(),
  sha1: hex(40).optional(),
  compression: z.enum(compressions),
  dataset_guid: z.string().max(64, 'is longer than 64 characters').optional(),
  filename: z.string().max(255, 'is longer than 255 characters').optional(),
});

const MOST_METADATA = 4096;

/** What is said of the whole file, and how it was said. */
export function metadataOf(ctx: Context) {
  const text = ctx.get('upload-metadata');
  if (text.length > MOST_METADATA) throw wrong('Upload-Metadata', `is longer than ${MOST_METADATA} characters`);
  const found = new Map<string, string>();
  for (const pair of text.split(',').map((one) => one.trim())) {
    if (pair === '') continue;
    const [key = '', value = '', ...rest] = pair.split(' ');
    if (rest.length > 0 || found.has(key)) throw wrong('Upload-Metadata', 'is not a list of keys, each with its value');
    found.set(key, decoded(value));
  }
  return { ...parse(metadata, Object.fromEntries(found), 'body'), metadata: text };
}

function decoded(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'base64'));
  } catch (cause) {
    throw new ImgapiError('InvalidContent', 'a value in Upload-Metadata is not UTF-8 in base64', { cause });
  }
}

const speaks = { 'Tus-Resumable': `always ${VERSION}` };

/** What the headers mean, by who sends them. */
export const taken = {
  'Tus-Resumable': `always ${VERSION}`,
  'Upload-Length': 'the bytes of the whole file',
  'Upload-Metadata':
    'keys and values in base64: image (uuid or name) and compression; sha256 and sha1, which the file is held against, dataset_guid, filename and dc where they matter',
  'Upload-Offset': 'the byte at which this part begins: as many as are here',
  'Upload-Checksum': `of this part, in base64, behind the name of one of ${algorithms.join(', ')}; not needed`,
} as const;

export const told = {
  ...speaks,
  Location: 'where the upload is',
  'Upload-Offset': 'so many bytes are here',
  'Upload-Length': 'so many there shall be',
  'Upload-Expires': 'until when it waits for its next part',
} as const;

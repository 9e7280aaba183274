import { z } from 'zod';
import { compressions } from '../../../imgapi/image.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import type { Upload } from '../../model/upload.js';
import { continueUpload, type Standing, standingOf } from '../../operations/continue-upload.js';
import { createUpload } from '../../operations/create-upload.js';
import { terminateUpload } from '../../operations/end-uploads.js';
import { listUploads } from '../../operations/find-upload.js';
import { endpoint, noBody, noQuery, streamed } from './endpoint.js';
import { pageOf, paging } from './page.js';
import { withPart } from './sent-part.js';
import {
  announced,
  bytesIn,
  checkIsPart,
  checksumOf,
  lengthOfBody,
  metadataOf,
  PART,
  speakTus,
  taken,
  told,
} from './tus.js';
import { flag } from './values.js';

const shown = z.strictObject({
  id: z.string(),
  image: z.string().describe('uuid'),
  user: z.string().describe('whose it is'),
  status: z.enum(['waiting', 'receiving', 'attached']).describe('attached: the image has its file'),
  size: z.number().describe('the bytes of the whole file'),
  offset: z.number().describe('so many of them are here'),
  sha256: z.string().nullable().describe('that the file shall have; null where its sender did not say'),
  sha1: z.string().nullable(),
  compression: z.enum(compressions),
  dataset_guid: z.string().nullable(),
  filename: z.string().nullable(),
  created: z.iso.datetime(),
  expires: z.iso.datetime().describe('until when it waits for its next part, or is remembered'),
});

function show({ uploads, directory }: Deps, upload: Upload): z.output<typeof shown> {
  const { id, image, user, size, sha256, sha1, compression, dataset_guid, filename, created, expires } = upload;
  const { offset, isBusy } = uploads.standingOf(upload);
  const status = upload.attached ? 'attached' : isBusy ? 'receiving' : 'waiting';
  return {
    id,
    image,
    user: directory.users.get(user)?.name ?? user,
    status,
    size,
    offset,
    sha256: sha256 ?? null,
    sha1: sha1 ?? null,
    compression,
    dataset_guid: dataset_guid ?? null,
    filename: filename ?? null,
    created,
    expires,
  };
}

export const list = endpoint({
  name: 'ListUploads',
  summary: 'the uploads that can be gone on with, and those that have just ended: of the caller, to operators of all',
  query: z.strictObject({
    ...paging,
    image: z.uuid().optional().describe('those to this image'),
    full: flag.describe('uploads are whole objects anyway'),
  }),
  body: noBody,
  status: 200,
  answer: z.array(shown),
  refusals: [],
  perform: async ({ caller, query }, deps) => {
    const found = (await listUploads(deps, caller)).filter(({ image }) => image === (query.image ?? image));
    return pageOf(
      found.map((upload) => show(deps, upload)),
      query,
      {
        created: ({ created }) => created,
        expires: ({ expires }) => expires,
        image: ({ image }) => image,
        user: ({ user }) => user,
        size: ({ size }) => size,
      },
    );
  },
});

const arriving = [
  'PreconditionFailed',
  'UnsupportedMediaType',
  'ResourceNotFound',
  'ImageFilesImmutable',
  'ImageAlreadyActivated',
  'ImagePending',
  'NoImageServer',
  'QuotaExceeded',
  'Download',
  'Busy',
  'OffsetMismatch',
  'ChecksumMismatch',
  'Gone',
  'ServiceUnavailableError',
] as const;

const { 'Tus-Resumable': version, 'Upload-Offset': offset, 'Upload-Checksum': checksum, ...ofTheWhole } = taken;
const speaks = { 'Tus-Resumable': version };

export const create = streamed({
  name: 'CreateUpload',
  summary:
    'begin to upload the file of an image that is not activated, in parts, as tus 1.0.0 has it; a body is its first part',
  query: noQuery,
  body: noBody,
  takes: { ...speaks, ...ofTheWhole, 'Upload-Checksum': checksum },
  sends: PART,
  status: 201,
  tells: { ...speaks, Location: told.Location, 'Upload-Offset': told['Upload-Offset'] },
  announces: announced,
  refusals: [...arriving, 'InsufficientSpace'],
  send: async (ctx, deps, sender) => {
    speakTus(ctx);
    const size = bytesIn(ctx, 'Upload-Length', 1);
    const told = metadataOf(ctx);
    checksumOf(ctx);
    const isEmpty = lengthOfBody(ctx) === 0;
    if (!isEmpty) checkIsPart(ctx);
    const upload = await createUpload(deps, sender, { ...told, size });
    // Relative, as nobody but the client knows by which URL it has come.
    ctx.set('Location', ctx.path.endsWith('/') ? upload.id : `upload/${upload.id}`);
    const standing = isEmpty
      ? { upload, offset: 0 }
      : await withPart(ctx, 0, (part) => continueUpload(deps, sender, upload.id, part));
    tell(ctx, standing);
    ctx.status = 201;
    ctx.body = '';
    ctx.remove('Content-Type');
  },
});

export const stand = streamed({
  name: 'GetUploadOffset',
  summary: 'how much of an upload is here, for whoever goes on with it: what is still being sent ends',
  query: noQuery,
  body: noBody,
  takes: speaks,
  status: 200,
  tells: { ...speaks, 'Upload-Offset': told['Upload-Offset'], 'Upload-Length': told['Upload-Length'] },
  refusals: arriving,
  send: async (ctx, deps, sender) => {
    speakTus(ctx);
    const standing = await standingOf(deps, sender, ctx.params.id ?? '');
    tell(ctx, standing);
    ctx.set('Upload-Length', String(standing.upload.size));
    ctx.set('Upload-Metadata', standing.upload.metadata);
    ctx.status = 200;
  },
});

export const append = streamed({
  name: 'ContinueUpload',
  summary: 'the next part of an upload; with the last one the file is verified, and the image has it',
  query: noQuery,
  body: noBody,
  takes: { ...speaks, 'Upload-Offset': offset, 'Upload-Checksum': checksum },
  sends: PART,
  status: 204,
  tells: { ...speaks, 'Upload-Offset': told['Upload-Offset'] },
  refusals: arriving,
  send: async (ctx, deps, sender) => {
    speakTus(ctx);
    checkIsPart(ctx);
    const { id = '' } = ctx.params;
    const from = bytesIn(ctx, 'Upload-Offset');
    tell(ctx, await withPart(ctx, from, (part) => continueUpload(deps, sender, id, part)));
    ctx.status = 204;
  },
});

export const terminate = streamed({
  name: 'EndUpload',
  summary: 'end an upload: nothing of it is left, and its room is free again',
  query: noQuery,
  body: noBody,
  takes: speaks,
  status: 204,
  tells: speaks,
  refusals: ['PreconditionFailed', 'ResourceNotFound', 'Gone'],
  send: async (ctx, deps, sender) => {
    speakTus(ctx);
    await terminateUpload(deps, sender, ctx.params.id ?? '');
    ctx.status = 204;
  },
});

function tell(ctx: Context, { upload, offset }: Standing): void {
  ctx.set('Upload-Offset', String(offset));
  if (!upload.attached) ctx.set('Upload-Expires', new Date(upload.expires).toUTCString());
}

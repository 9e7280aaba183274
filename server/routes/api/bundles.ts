import { z } from 'zod';
import { exportImage } from '../../operations/export-image.js';
import { importBundle } from '../../operations/import-bundle.js';
import { withBody } from '../request-body.js';
import { sendBundle } from '../send-bundle.js';
import { TAR } from './backup.js';
import { noBody, streamed } from './endpoint.js';
import { send } from './envelope.js';
import { access, dc } from './image-shape.js';

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const exported = streamed({
  name: 'ExportImage',
  summary: 'an image in one tar, with its manifest, file and icon, and those that it comes from',
  operation: 'show',
  query: z.strictObject({ dc, origins: flag.default(true).describe('those that it comes from, too') }),
  body: noBody,
  status: 200,
  media: TAR,
  refusals: ['ResourceNotFound', 'OriginDoesNotExist', 'NoActivationNoFile', 'NotImplemented'],
  send: async (ctx, deps, { caller, params, query }) => {
    const named = { image: params.name ?? '', dc: query.dc };
    const bundle = await exportImage(deps, caller, named, { origins: query.origins ? 'with' : 'without' });
    try {
      ctx.state.pulls = bundle.uuid;
      ctx.status = 200;
      ctx.set('Content-Type', TAR);
      await sendBundle(ctx, deps, bundle);
    } finally {
      await bundle.close();
    }
  },
});

const row = z.strictObject({
  image: z.string().nullable(),
  name: z.string().nullable(),
  status: z.enum(['imported', 'present', 'refused']),
  code: z.string().nullable().describe('why it was refused'),
  detail: z.string().nullable(),
});

export const imported = streamed({
  name: 'ImportBundle',
  summary: 'brings the images of a bundle, each whole or not at all, and tells of each what has become of it',
  operation: 'import',
  query: z.strictObject({
    dc: dc.describe('the data center to which they are bound, or attached'),
    dc_bound: flag.default(true).describe('only SuperAdmins share them'),
    access: access.optional().describe('for all of them; else as their manifests say'),
  }),
  body: noBody,
  sends: TAR,
  status: 200,
  answer: z.array(row),
  refusals: ['InvalidContent', 'NoImageServer'],
  send: async (ctx, deps, { caller, query }) => {
    const rows = await withBody(ctx, (body) => importBundle(deps, caller, body, query));
    send(ctx, { task_id: ctx.state.entry ?? null, status: 'SUCCESS', result: rows }, 200);
  },
});

import { z } from 'zod';
import { bulkActions } from '../../operations/bulk-images.js';
import { startBulk } from '../../operations/start-bulk.js';
import { endpoint } from './endpoint.js';
import { access, label } from './image-shape.js';
import { reason, replacement, sharing } from './images.js';
import { listOf } from './values.js';

export const images = endpoint({
  name: 'ChangeManyImages',
  summary: 'does the same to many images, as a task; its result has a row for each, whatever becomes of the others',
  operation: 'update',
  query: z.strictObject({}),
  body: z.strictObject({
    action: z.enum(bulkActions),
    images: listOf(z.string().min(1).max(100)).describe('names or uuids'),
    dc: z.string().max(100).optional().describe('where the images are meant; where to attach or detach them'),
    force: z.boolean().optional().describe('of delete and detach: though machines use it; for SuperAdmins'),
    label: label.optional(),
    access: access.optional(),
    ...sharing,
    reason,
    replacement,
  }),
  status: 201,
  answer: z.null().describe('what the task comes to is a list of {image, status, code, detail}'),
  refusals: ['InvalidInput'],
  perform: ({ caller, own, body }, deps) => startBulk(deps, caller, own, body),
});

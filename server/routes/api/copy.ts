import { z } from 'zod';
import { NAME } from '../../model/registration.js';
import { startCopy } from '../../operations/start-copy.js';
import { endpoint } from './endpoint.js';
import { dc } from './image-shape.js';

export const copy = endpoint({
  name: 'CopyImage',
  summary: 'copies an image, and what it builds on, to another image server, as a task',
  operation: 'copy',
  query: z.strictObject({}),
  body: z.strictObject({
    to: z.string().min(1).max(32).describe('the name of a repository; its secret has to be good for writing there'),
    name: z.string().regex(NAME, 'is no name of an image').optional().describe('how it is called there'),
    datacenter: z.string().min(1).max(100).optional().describe('the data center there to which it is bound'),
    dc,
  }),
  status: 201,
  answer: z.null().describe('what the task comes to is {to, images}'),
  refusals: ['ResourceNotFound', 'InvalidInput', 'ImagePending', 'RemoteSourceError'],
  perform: ({ caller, params, body }, deps) => startCopy(deps, caller, { ...body, image: params.name ?? '' }),
});

import { z } from 'zod';
import { importFromRepository } from '../../operations/import-managed.js';
import { endpoint } from './endpoint.js';
import { dc, fields, shown } from './image-shape.js';
import { newName, outcomeOf } from './images.js';

export const fromRepository = endpoint({
  name: 'ImportFromRepository',
  summary: 'imports an image of a repository, and what it builds on, as a task',
  operation: 'import',
  query: z.strictObject({}),
  body: z
    .strictObject({
      ...fields,
      name: z.string().max(100).optional().describe('the key of the image; that of its manifest where it is absent'),
      dc: dc.describe('the data center to which it is bound, or attached; where the role is held once, that one'),
    })
    .optional(),
  status: 201,
  atOnce: true,
  answer: shown,
  refusals: [
    'ImageUuidAlreadyExists',
    'InsufficientSpace',
    'InvalidParameter',
    'NoImageServer',
    'ObjectAlreadyExists',
    'OriginDoesNotExist',
    'OriginIsNotActive',
    'QuotaExceeded',
    'ResourceNotFound',
    'ValidationFailed',
  ],
  perform: async ({ caller, own, params, body = {} }, deps) => {
    const { repo = '', uuid = '' } = params;
    const { dc_bound = true, name, ...wish } = body;
    const wanted = { ...wish, dc_bound, ...(name !== undefined && { name: newName(name) }) };
    return outcomeOf(deps, { caller, own }, importFromRepository(deps, caller, wanted, { repository: repo, uuid }));
  },
});

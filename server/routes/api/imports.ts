import { z } from 'zod';
import { checkRepositoryImport, importFromRepository } from '../../operations/import-managed.js';
import { type Asked, endpoint } from './endpoint.js';
import { dc, fields, shown } from './image-shape.js';
import { newName, outcomeOf } from './images.js';

const wanted = z
  .strictObject({
    ...fields,
    name: z.string().max(100).optional().describe('the key of the image; that of its manifest where it is absent'),
    dc: dc.describe('the data center to which it is bound, or attached; where the role is held once, that one'),
  })
  .optional();

const sourceIn = ({ repo = '', uuid = '' }: Asked<unknown, unknown>['params']) => ({ repository: repo, uuid });

function wishIn({ dc_bound = true, name, ...wish }: NonNullable<z.output<typeof wanted>> = {}) {
  return { ...wish, dc_bound, ...(name !== undefined && { name: newName(name) }) };
}

export const fromRepository = endpoint({
  name: 'ImportFromRepository',
  summary: 'imports an image of a repository, and what it builds on, as a task',
  operation: 'import',
  query: z.strictObject({}),
  body: wanted,
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
  check: ({ caller, params, body }, deps) => checkRepositoryImport(deps, caller, wishIn(body), sourceIn(params)),
  perform: ({ caller, own, params, body }, deps) =>
    outcomeOf(deps, { caller, own }, importFromRepository(deps, caller, wishIn(body), sourceIn(params))),
});

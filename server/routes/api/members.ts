import { z } from 'zod';
import { listMembers } from '../../operations/list-members.js';
import { endpoint, noBody, noQuery } from './endpoint.js';

export const list = endpoint({
  name: 'ListMembers',
  summary: 'the daemons that are this server together, whoever has been in for longest first',
  operation: 'see members',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: z.array(
    z.strictObject({
      id: z.string().describe('of this start: a daemon that comes back has another one'),
      name: z.string(),
      version: z.string(),
      since: z.iso.datetime().describe('when it joined'),
      first: z.boolean().describe('whether what is done once for all is done by it'),
      self: z.boolean().describe('whether it is the one that answers'),
      tasks: z.number().describe('how many it performs'),
    }),
  ),
  refusals: [],
  perform: (_, { catalog }) => listMembers(catalog),
});

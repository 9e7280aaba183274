import { z } from 'zod';
import { authorizedLine, FROM } from '../../model/authorized-key.js';
import { endpoint, noBody } from './endpoint.js';
import { flag, listOf } from './values.js';

export const show = endpoint({
  name: 'GetNodeKey',
  summary: 'what lets this server in, to be added to authorized_keys of nodes',
  operation: 'manage nodes',
  query: z.strictObject({
    from: listOf(z.string().regex(FROM, 'is no address, network or name'), 'addresses, networks or names')
      .optional()
      .describe('whence the key is good: where this server comes from'),
    jump: flag.describe('other nodes are reached through this one'),
  }),
  body: noBody,
  status: 200,
  answer: z.strictObject({
    line: z.string().describe('of authorized_keys'),
    public_key: z.string().describe('the bare key'),
  }),
  refusals: [],
  perform: async ({ query: { from = [], jump } }, { hypervisors }) => {
    const publicKey = hypervisors.publicKey();
    return { line: authorizedLine(publicKey, { from, jump }), public_key: publicKey };
  },
});

import { z } from 'zod';
import { checkReading, readManifest } from '../../operations/read-manifest.js';
import { endpoint, noQuery } from './endpoint.js';
import { dc } from './image-shape.js';
import { remoteImage } from './remote-shape.js';

const digest = z.string().nullable().describe('of its file; null where its manifest does not say');

export const read = endpoint({
  name: 'ReadManifest',
  summary: 'what an import by the address of a manifest would bring; nothing is done',
  operation: 'import',
  query: noQuery,
  body: z.strictObject({
    manifest_url: z.string().min(1).max(1024).describe('where the manifest is'),
    secret: z.string().max(200).optional().describe('the name of a secret, which proves us to that host'),
    dc: dc.describe('the data center into which it would be imported'),
  }),
  status: 200,
  answer: z.strictObject({
    ...remoteImage,
    key: z.string().describe('its name here, where no other is said'),
    public: z.boolean(),
    compression: z.string(),
    sha1: digest,
    sha256: digest,
    builds_on: z
      .array(z.strictObject({ uuid: z.string(), name: z.string(), version: z.string(), download_size: z.number() }))
      .describe('what would be brought along, the lowest first'),
    taken: z.string().nullable().describe('why its uuid can not be imported; null where nobody has it'),
  }),
  refusals: ['InvalidInput', 'OriginDoesNotExist', 'OriginIsNotActive'],
  check: ({ caller, body }, deps) => checkReading(deps, caller, body),
  perform: ({ caller, body, whileThere }, deps) => readManifest(deps, caller, body, whileThere()),
});

import { z } from 'zod';
import type { OsType } from '../../model/os-types.js';
import { pickImages, presentPicked } from '../../operations/pick-images.js';
import { endpoint, noBody } from './endpoint.js';

const ostype = z
  .string()
  .regex(/^[1-6]$/, 'is not one of 1 to 6')
  .transform((digit) => Number(digit) as OsType)
  .optional();

export const pick = endpoint({
  name: 'PickImages',
  summary: 'the images that a machine can be made of in a data center, right now',
  operation: 'pick images',
  query: z.strictObject({
    ostype: ostype.describe('1 Linux VM, 2 SunOS VM, 3 BSD VM, 4 Windows VM, 5 SunOS zone, 6 Linux zone'),
    class: z.string().max(64).optional().describe('the class of work; images that name none are for all'),
    location: z.string().max(64).optional().describe('the site of the data center'),
    user: z.string().max(100).optional().describe('for whom; administrators may name the users of theirs'),
  }),
  body: noBody,
  status: 200,
  answer: z.array(
    z.strictObject({
      name: z.string(),
      uuid: z.string(),
      alias: z.string(),
      version: z.string(),
      desc: z.string(),
      ostype: z.number(),
      size: z.number(),
      resize: z.boolean(),
      deploy: z.boolean(),
      tags: z.array(z.string()),
      golden: z.boolean(),
      belongs: z.enum(['system', 'group']),
      groups: z.array(z.string()).describe('whose members alone have it, of those that the caller may know of'),
      class: z.string().nullable().describe('the class of work that it is for; all where it is null'),
      default: z.boolean().describe('preselected'),
    }),
  ),
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async ({ caller, params, query }, deps) =>
    (await pickImages(deps, caller, params.dc ?? '', query)).map(presentPicked),
});

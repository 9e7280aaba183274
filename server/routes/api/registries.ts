import { z } from 'zod';
import { meantOfDocker, meantOfLxd, startDocker, startLxd } from '../../operations/registry-tasks.js';
import { endpoint, noQuery } from './endpoint.js';
import { dc } from './image-shape.js';

const standing = {
  dc: dc.describe('the data center to which it is bound; where the role is held once, that one'),
  dc_bound: z.boolean().optional().describe('whether it belongs to its one data center; for SuperAdmins'),
  access: z.enum(['public', 'private']).optional().describe('who sees it; private unless it is said'),
};

const orderIn = <Body extends { access?: 'public' | 'private' | undefined; dc_bound?: boolean | undefined }>({
  access,
  dc_bound = true,
  ...body
}: Body) => ({ ...body, dc_bound, visible: access === 'public' });

const refusals = [
  'InvalidInput',
  'RemoteSourceError',
  'ImageUuidAlreadyExists',
  'NoImageServer',
  'InsufficientSpace',
  'QuotaExceeded',
] as const;

export const docker = endpoint({
  name: 'ImportFromContainerRegistry',
  summary: 'an image of a container, of which each layer becomes an image, from a registry (OCI, Docker): as a task',
  operation: 'import',
  query: noQuery,
  body: z.strictObject({
    image: z
      .string()
      .min(1)
      .max(512)
      .describe('REPO:TAG or REPO@sha256:DIGEST; of docker.io where no registry is named'),
    secret: z.string().max(200).optional().describe('the name of a secret, which is the login at that registry'),
    ...standing,
  }),
  status: 201,
  answer: z.null().describe('what the task comes to is {uuid, images, bytes}: the uppermost layer, and all of them'),
  refusals: [...refusals, 'NotImplemented', 'ImageFileTooBig'],
  check: ({ caller, body }, deps) => meantOfDocker(deps, caller, orderIn(body)),
  perform: ({ caller, body }, deps) => startDocker(deps, caller, orderIn(body)),
});

export const lxd = endpoint({
  name: 'ImportFromLxdRegistry',
  summary: 'an image for LXD or Incus from one of the servers that are configured (simplestreams): as a task',
  operation: 'import',
  query: noQuery,
  body: z.strictObject({
    image: z.string().min(1).max(512).describe('REGISTRY:ALIAS, such as images:alpine/3.18'),
    ...standing,
  }),
  status: 201,
  answer: z.null().describe('what the task comes to is {uuid, images, bytes}'),
  refusals: [...refusals, 'ImageFileTooBig'],
  check: ({ caller, body }, deps) => meantOfLxd(deps, caller, orderIn(body)),
  perform: ({ caller, body }, deps) => startLxd(deps, caller, orderIn(body)),
});

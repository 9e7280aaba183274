import { z } from 'zod';

/** What is told of an image elsewhere, by whatever way it could come. */
export const remoteImage = {
  uuid: z.string(),
  name: z.string(),
  version: z.string(),
  created: z.string().describe('when it was published; empty where that is not said'),
  os: z.string(),
  type: z.string(),
  ostype: z.number(),
  desc: z.string(),
  homepage: z.string(),
  size: z.number().describe('of the disk, in MiB'),
  state: z.string(),
  download_size: z.number().describe('of its first file, in bytes; 0 where that is not said'),
  registered: z.boolean().describe('whether the caller finds it here already'),
};

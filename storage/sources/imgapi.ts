import type { ImgapiClient } from '../../imgapi/client.js';
import type { Source } from '../sources.js';
import { openedFrom } from './http-file.js';

/** Another image server. `host` is what people are told of it. */
export function imgapiSource(client: ImgapiClient, host: string): Source {
  return {
    what: host,
    describe: (uuid, signal) => client.getImage(uuid, { signal }),
    file: (uuid) => ({
      what: `${host}, image ${uuid}`,
      open: async ({ from, mark }, signal) => {
        const part = from > 0 && { range: { start: from }, ...(mark !== undefined && { ifRange: mark }) };
        return openedFrom(client.exchange, await client.getImageFile(uuid, { ...part, signal }), from);
      },
    }),
  };
}

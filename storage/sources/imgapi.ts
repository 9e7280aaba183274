import type { FetchOptions, ImgapiClient } from '../../imgapi/client.js';
import { MOST_OF_A_MANIFEST, type RemoteFile, type Source } from '../sources.js';
import { openedFrom } from './http-file.js';

/** Another image server. `host` is what people are told of it. */
export function imgapiSource(client: ImgapiClient, host: string, call: Pick<FetchOptions, 'redirects'> = {}): Source {
  const file = (uuid: string): RemoteFile => ({
    what: `${host}, image ${uuid}`,
    open: async ({ from, mark }, signal) => {
      const part = from > 0 && { range: { start: from }, ...(mark !== undefined && { ifRange: mark }) };
      return openedFrom(client.exchange, await client.getImageFile(uuid, { ...call, ...part, signal }), from);
    },
  });
  return {
    what: host,
    describe: (uuid, signal) => client.getImage(uuid, { ...call, most: MOST_OF_A_MANIFEST, signal }),
    file,
    icon: (uuid) => ({
      what: `${host}, the icon of image ${uuid}`,
      open: async (_, signal) => openedFrom(client.exchange, await client.getIcon(uuid, { ...call, signal }), 0),
    }),
  };
}

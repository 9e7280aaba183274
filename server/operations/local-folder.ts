import { pathToFileURL } from 'node:url';
import type { Folder } from '../../storage/sources.js';
import type { Repository } from './repository-book.js';

/** What operators put on this server by hand, as a repository that is called after the host. */
export const localFolder = (host: string, folder: Folder): Repository => {
  const at = (uuid: string) => pathToFileURL(`${folder.path}/${uuid}/manifest`).href;
  return {
    name: `_${host}`,
    url: pathToFileURL(folder.path).href,
    isLocal: true,
    authoritative: false,
    list: (signal) => folder.list(signal),
    source: async () => folder,
    manifestUrl: at,
  };
};

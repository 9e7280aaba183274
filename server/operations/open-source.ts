import { ImgapiClient } from '../../imgapi/client.js';
import { openImgapiSource, openUrlSource } from '../../storage/open.js';
import type { Source } from '../../storage/sources.js';
import type { Deps } from '../deps.js';
import type { ImportSource } from '../model/import.js';
import { repositoryOf } from './repositories.js';

/** Servers of files send on to where they keep them. */
const CALL = { redirects: 5 };

/** What an import fetches from, asked through the one way out. */
export async function openSource(deps: Deps, from: ImportSource): Promise<Source> {
  const { outgoing } = deps;
  if (from.kind === 'repository') return repositoryOf(deps, from.name).source();
  if (from.kind === 'imgapi') {
    const url = new URL(from.url);
    if (from.channel !== undefined) url.searchParams.set('channel', from.channel);
    return openImgapiSource(new ImgapiClient(outgoing.to(url.href, from.access)), url.host, CALL);
  }
  const { manifest, file, access } = from;
  const places = { ...(manifest && { manifest: outgoing.to(manifest, access) }), file: outgoing.to(file, access) };
  return openUrlSource(places, CALL);
}

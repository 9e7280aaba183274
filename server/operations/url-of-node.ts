import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Node } from '../model/node.js';
import { urlForNodes } from '../model/public-url.js';
import { placementOf, type RegisteredImage } from '../model/registration.js';
import { isIn } from '../model/visibility.js';

type Knowing = Pick<Deps, 'directory' | 'policy'>;

/** Where the nodes of these data centers find this server: by that of the server where they do not agree. */
export function publicUrlIn({ directory, policy }: Knowing, datacenters: readonly string[]): string | undefined {
  const urls = new Set(datacenters.map((name) => directory.settingsOf(name).publicUrl ?? policy.publicUrl));
  return urls.size === 1 ? [...urls][0] : policy.publicUrl;
}

/** Throws NoPublicUrl, as the next one does. */
export const urlOfNode = (deps: Knowing, { datacenters }: Pick<Node, 'datacenters'>): string =>
  urlForNodes(publicUrlIn(deps, datacenters));

/** By which a node fetches an image: as is usual in the data centers that have both. */
export const urlOfPull = (deps: Knowing, { datacenters }: Pick<Node, 'datacenters'>, image: RegisteredImage): string =>
  urlForNodes(publicUrlOf(deps, datacenters, image));

function publicUrlOf(deps: Knowing, datacenters: readonly string[], image: RegisteredImage) {
  const shared = datacenters.filter((name) => isIn(placementOf(image), new Set([name])));
  return publicUrlIn(deps, shared.length > 0 ? shared : datacenters);
}

/** Why none of the nodes can be sent an image; nothing where one of them can. Asked for each image of a list. */
export function whySentToNone(deps: Knowing, image: RegisteredImage): string | undefined {
  let why = 'no node that is talked to serves it';
  const placement = placementOf(image);
  const tried = new Set<string | undefined>();
  for (const datacenters of deps.directory.servedTogether) {
    if (!isIn(placement, new Set(datacenters))) continue;
    const url = publicUrlOf(deps, datacenters, image);
    if (tried.has(url)) continue;
    tried.add(url);
    try {
      urlForNodes(url);
      return undefined;
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      why = error.message;
    }
  }
  return why;
}

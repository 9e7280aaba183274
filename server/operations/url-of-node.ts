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
export function urlOfPull(deps: Knowing, { datacenters }: Pick<Node, 'datacenters'>, image: RegisteredImage): string {
  const shared = datacenters.filter((name) => isIn(placementOf(image), new Set([name])));
  return urlForNodes(publicUrlIn(deps, shared.length > 0 ? shared : datacenters));
}

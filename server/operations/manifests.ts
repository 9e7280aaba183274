import { remembering } from '../../imgapi/remembering.js';
import { etagOf } from '../../imgapi/serialize.js';
import type { ListedImage } from './listing.js';

/** A manifest as it is sent, with its tag. */
export interface SentManifest {
  json: string;
  etag: string;
}

/** Of the manifests that are remembered, in bytes. */
const MOST = 8 * 1024 * 1024;

/** What is kept with each: its view, which lives on when the image has changed, and the element for lists. */
const BESIDE = 2048;

/**
 * The manifests that were asked for lately. They are remembered by what the listing keeps of an image, of which a
 * change makes another: none can be stale.
 */
export class Manifests {
  readonly plain = remembered('plain');
  readonly withChannels = remembered('withChannels');
}

function remembered(form: 'plain' | 'withChannels'): (manifest: ListedImage['manifest']) => SentManifest {
  return remembering(
    (manifest) => alone(manifest[form]),
    MOST,
    (_, { json }) => json.length + BESIDE,
  );
}

/** An element of a list stands behind a comma, and deeper than a manifest that is sent alone. */
function alone(element: Buffer): SentManifest {
  const json = element.toString('utf8', ',\n  '.length).replaceAll('\n  ', '\n');
  return { json, etag: etagOf(JSON.parse(json)) };
}

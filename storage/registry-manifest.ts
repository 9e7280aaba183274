import { isRecord } from '../imgapi/checks.js';
import { type Descriptor, DIGEST, type ImageManifest } from './registry.js';

/** What of a registry's documents is not what it should be, in words. */
export class Unfit extends Error {
  override name = 'Unfit';
}

export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** Docker makes no image of more. */
const MOST_LAYERS = 127;
const MOST_PLATFORMS = 1000;

/** A list of manifests names one for each platform; a manifest, the parts of one image. */
export function readManifest(text: string): ImageManifest | { platform: Descriptor } {
  const document = parsed(text);
  const { schemaVersion, manifests, layers, config } = document;
  if (schemaVersion === 1) throw new Unfit('is of schema 1, which registries have given up: push it anew');
  if (schemaVersion !== 2) throw new Unfit('is no manifest of schema 2');
  // one text that is both would be two images under one digest
  if (manifests !== undefined && (layers !== undefined || config !== undefined)) {
    throw new Unfit('is a list and an image at once');
  }
  if (manifests !== undefined) return { platform: forLinux(manifests) };
  if (!Array.isArray(layers) || layers.length === 0) throw new Unfit('names no layers');
  if (layers.length > MOST_LAYERS) throw new Unfit(`has ${layers.length} layers, of which ${MOST_LAYERS} are taken`);
  return { config: descriptor(config, 'config'), layers: layers.map((layer) => descriptor(layer, 'layer')) };
}

export function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new Unfit('is no JSON', { cause });
  }
  throw new Unfit('is no JSON object');
}

function forLinux(manifests: unknown): Descriptor {
  if (!Array.isArray(manifests) || manifests.length > MOST_PLATFORMS) throw new Unfit('is no list of platforms');
  const found = manifests.find(
    (one) =>
      isRecord(one) && isRecord(one.platform) && one.platform.os === 'linux' && one.platform.architecture === 'amd64',
  );
  if (!found) throw new Unfit('has no image for linux/amd64');
  return descriptor(found, 'manifest');
}

function descriptor(value: unknown, what: string): Descriptor {
  const { mediaType, digest, size, urls } = isRecord(value) ? value : {};
  if (typeof digest !== 'string' || !DIGEST.test(digest)) throw new Unfit(`has a ${what} without a sha256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new Unfit(`has a ${what} without a size`);
  if (Array.isArray(urls) && urls.length > 0)
    throw new Unfit(`has a ${what} that lies at other places than the registry`);
  return { mediaType: typeof mediaType === 'string' ? mediaType : '', digest, size };
}

import { setImmediate } from 'node:timers/promises';
import type { Mode } from '../../imgapi/image.js';
import { compareListed, type Listed, listed } from '../../imgapi/query.js';
import { remembering } from '../../imgapi/remembering.js';
import { serialize } from '../../imgapi/serialize.js';
import type { Catalog } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import { images } from '../model/image.js';
import { placesOf } from '../model/reach.js';
import { type Placement, placementOf, type RegisteredImage } from '../model/registration.js';

/** What memory keeps of an image: what the filters need, and the manifest as it is sent. */
export interface ListedImage extends Listed {
  registration: Placement;
  /** Of its files. */
  bytes: number;
  /** By which management addresses it; absent where it only counts as if it stood in a data center. */
  managedAs: string | undefined;
  manifest: Manifest;
}

export type Listing = ReadModel<ListedImage>;

/** Of the words that are shared, in characters. */
const MOST_SHARED = 1 << 20;

export function openListing(catalog: Catalog, mode: Mode): Promise<Listing> {
  const render = (json: string) => formsOf(JSON.parse(json), mode);
  const shared = remembering(
    (word: string) => word,
    MOST_SHARED,
    ({ length }) => length + 1,
  );
  const placements = sharedPlacements();
  return ReadModel.open<RegisteredImage, ListedImage>(catalog, images, {
    // Assigned and not spread, here and below: a walk over copies of objects takes ten times as long.
    project: (image, json) =>
      Object.assign(inSharedWords(listed(image), shared), {
        registration: placements(image),
        bytes: image.files.reduce((sum, { size }) => sum + size, 0),
        managedAs: image.registration?.name,
        manifest: new Manifest(json, render),
      }),
    compare: compareListed,
    rank: ({ published }) => published,
    groups: placesOf,
  });
}

/** Many images have the same owner and tags: each is kept once. */
function inSharedWords(entry: Listed, shared: (word: string) => string): Listed {
  return Object.assign(entry, {
    owner: shared(entry.owner),
    tags: entry.tags.map(shared),
    billingTags: entry.billingTags.map(shared),
  });
}

/** Most images stand where many others do: each such place is kept once. */
function sharedPlacements(): (image: RegisteredImage) => Placement {
  const known = remembering(
    (json: string): Placement => JSON.parse(json),
    MOST_SHARED,
    ({ length }) => length,
  );
  return (image) => {
    const { access, datacenters, boundTo, global, groups, leaving } = placementOf(image);
    return known(JSON.stringify({ access, datacenters, boundTo, global, groups, leaving }));
  };
}

/** In milliseconds: for how long rendering may keep others waiting. */
const SLICE = 5;

/** The manifests as they are sent. Where many are still to be rendered, others are served meanwhile. */
export async function elementsOf(found: readonly ListedImage[], form: keyof Forms): Promise<Buffer[]> {
  const elements: Buffer[] = [];
  let until = performance.now() + SLICE;
  for (const { manifest } of found) {
    if (!manifest.isRendered && performance.now() > until) {
      await setImmediate();
      until = performance.now() + SLICE;
    }
    elements.push(manifest[form]);
  }
  return elements;
}

/** A manifest as an element of a list, with its comma; without and with its channels, the same buffer where it has none. */
interface Forms {
  plain: Buffer;
  withChannels: Buffer;
}

/** Rendered when it is first listed: a start with very many images would take most of its time for it. */
class Manifest implements Forms {
  #kept: string | Forms;

  constructor(
    json: string,
    private readonly render: (json: string) => Forms,
  ) {
    this.#kept = json;
  }

  get isRendered(): boolean {
    return typeof this.#kept !== 'string';
  }

  get plain(): Buffer {
    return this.#forms().plain;
  }

  get withChannels(): Buffer {
    return this.#forms().withChannels;
  }

  #forms(): Forms {
    if (typeof this.#kept === 'string') this.#kept = this.render(this.#kept);
    return this.#kept;
  }
}

function formsOf(image: RegisteredImage, mode: Mode): Forms {
  const plain = elementOf(image, { mode, channels: false });
  return { plain, withChannels: image.channels ? elementOf(image, { mode, channels: true }) : plain };
}

/** The second of a list of two, with the comma in front of it. */
function elementOf(image: RegisteredImage, view: { mode: Mode; channels: boolean }): Buffer {
  const list = JSON.stringify([0, serialize(image, { ...view, admin: false })], null, 2);
  return ownBytes(list.slice('[\n  0'.length, -'\n]'.length));
}

/** Not from Node's pool: what is kept so long would keep all that shared its 8 KiB. */
function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

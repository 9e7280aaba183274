import type { CallOptions, ImgapiClient, RemoteManifest } from '../imgapi/client.js';
import { ImgapiError } from '../imgapi/errors.js';
import { isUuid } from '../imgapi/image.js';
import type { RawQuery } from '../imgapi/query.js';
import { CliError } from './errors.js';
import { nameAndVersion } from './image-line.js';
import { compareVersions } from './versions.js';
import { visible } from './visible.js';

export type Found = RemoteManifest & { uuid: string };

/** At least so much of a uuid is needed, so that names are seldom taken for one. */
export const BEGINNING = /^[0-9a-f]{8}[0-9a-f-]{0,27}$/i;

/** The image that is meant by its uuid, the beginning of one, its name (then its newest version) or `NAME@VERSION`. */
export async function findImage(client: ImgapiClient, wanted: string, call: CallOptions = {}): Promise<Found> {
  const uuid = wanted.toLowerCase();
  if (isUuid(uuid)) return { ...(await getImage(client, uuid, call)), uuid };
  const list = async (query: RawQuery) => {
    const images: Found[] = [];
    for await (const image of client.listImages({ state: 'all', ...query }, call)) images.push(asFound(image));
    return images;
  };
  for (const { name, version } of readings(wanted)) {
    const listed = await list({ name, version });
    // a leading ~ would have been a search, and not every server filters
    const called = listed.filter((image) => image.name === name && [undefined, image.version].includes(version));
    if (called.length > 0) return only(wanted, version === undefined ? newest(called) : called);
  }
  if (!BEGINNING.test(wanted)) return only(wanted, []);
  const begun = (await list({})).filter((image) => image.uuid.startsWith(uuid));
  return only(wanted, begun);
}

/** NAME@VERSION, or NAME: servers that take any name may have an @ in both. */
function readings(wanted: string): { name: string; version?: string }[] {
  const versioned = [...wanted.matchAll(/@/g)].map(({ index }) => ({
    name: wanted.slice(0, index),
    version: wanted.slice(index + 1),
  }));
  return [...versioned, { name: wanted }];
}

async function getImage(client: ImgapiClient, uuid: string, call: CallOptions): Promise<RemoteManifest> {
  try {
    return await client.getImage(uuid, call);
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'ResourceNotFound') throw missing(uuid, error);
    throw error;
  }
}

/** The newest version, as often as it is there. */
function newest(images: Found[]): Found[] {
  const versions = images.map(({ version }) => String(version));
  const latest = versions.reduce((a, b) => (compareVersions(a, b) < 0 ? b : a));
  return images.filter(({ version }) => version === latest);
}

function only(wanted: string, [first, ...others]: Found[]): Found {
  if (!first) throw missing(wanted);
  if (others.length === 0) return first;
  const candidates = [first, ...others].map(
    (image) => `\n  ${visible(`${image.uuid}  ${nameAndVersion(image)}  ${image.state}  owner ${image.owner}`)}`,
  );
  throw new CliError(`"${wanted}" may be any of ${candidates.length} images:${candidates.join('')}`, {
    hint: 'name one of them by its uuid',
  });
}

const missing = (wanted: string, cause?: unknown) =>
  new CliError(`there is no image "${wanted}"`, {
    hint: '"slipway list --state all" shows what there is, as far as you may see it',
    cause,
  });

const asFound = (image: RemoteManifest): Found => ({ ...image, uuid: String(image.uuid) });

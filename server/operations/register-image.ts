import type { Image } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import { type Placement, type RegisteredImage, type Registration, rivals, slugOf } from '../model/registration.js';
import { checkDatacenterStands } from './check-datacenter-stands.js';

/** In which data centers an image stands, and under which name; a name of its own where none is given. */
export interface Place extends Pick<Placement, 'datacenters' | 'boundTo'> {
  name?: string;
  /** Who brings the image. */
  by?: string;
}

/** The image, with what management keeps of it from now on. */
export async function register(
  reader: Reader,
  image: Image,
  { name, by, datacenters, boundTo }: Place,
  now: Date,
): Promise<RegisteredImage> {
  for (const datacenter of datacenters) await checkDatacenterStands(reader, datacenter);
  const at = now.toISOString();
  const placed = { datacenters, ...(boundTo !== undefined && { boundTo }) };
  const registration: Registration = {
    name: name ?? (await freeName(reader, image, placed)),
    access: image.public ? 'public' : 'private',
    ...placed,
    ...(by !== undefined && { provenance: { by } }),
    created: at,
    changed: at,
  };
  return { ...image, registration };
}

/** The image that has this name where the other one stands, or would. */
async function holderOf(
  reader: Reader,
  name: string,
  placement: Pick<Placement, 'boundTo'>,
  except?: string,
): Promise<RegisteredImage | undefined> {
  for await (const { record } of reader.range(images, 'name', { prefix: `${name}/` })) {
    if (record.uuid !== except && record.registration && rivals(record.registration, placement)) return record;
  }
  return undefined;
}

/** A slug of the manifest's name, or the name given; images of one name are told apart by the beginning of their uuid. */
export async function freeName(
  reader: Reader,
  { name, uuid }: Image,
  placement: Pick<Placement, 'boundTo'>,
  wanted = slugOf(name),
): Promise<string> {
  const candidates = [wanted, `${wanted.slice(0, 23)}-${uuid.slice(0, 8)}`];
  for (const candidate of candidates) if (!(await holderOf(reader, candidate, placement, uuid))) return candidate;
  return uuid.replaceAll('-', '');
}

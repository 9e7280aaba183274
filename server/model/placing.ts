import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { ManagedImage } from './registration.js';

/** An image that is attached to another data center is no longer one's own. */
export function attached(image: ManagedImage, datacenter: string): ManagedImage {
  const { boundTo: _, ...registration } = image.registration;
  if (registration.global || registration.datacenters.includes(datacenter)) {
    const message = `image ${registration.name} is attached to data center ${datacenter} already`;
    throw new ImgapiError('ObjectAlreadyExists', message);
  }
  return { ...image, registration: { ...registration, datacenters: [...registration.datacenters, datacenter] } };
}

/** In one data center and no other, whose own it is from then on. */
export function confined(image: ManagedImage, datacenter: string): ManagedImage {
  const { global: _, ...registration } = image.registration;
  return { ...image, registration: { ...registration, datacenters: [datacenter], boundTo: datacenter } };
}

export function detached(image: ManagedImage, datacenter: string): ManagedImage {
  const { boundTo: _, ...registration } = image.registration;
  if (registration.global) {
    throw refused('global', `image ${registration.name} is attached to all data centers: set global to false first`);
  }
  const datacenters = registration.datacenters.filter((name) => name !== datacenter);
  return { ...image, registration: { ...registration, datacenters } };
}

export function shared(image: ManagedImage): ManagedImage {
  const { boundTo: _, ...registration } = image.registration;
  return { ...image, registration };
}

/** Only what stands in one data center can belong to it. */
export function bound(image: ManagedImage): ManagedImage {
  const { datacenters, global, name } = image.registration;
  const [only, ...others] = datacenters;
  if (global || only === undefined || others.length > 0) {
    const where = global ? 'all data centers' : `${datacenters.length} data centers`;
    throw refused('dc_bound', `dc_bound can not be set: image ${name} is attached to ${where}, not to one`);
  }
  return { ...image, registration: { ...image.registration, boundTo: only } };
}

/** What is everywhere belongs to nobody; what no longer is stays where it was attached. */
export function everywhere(image: ManagedImage, wanted: boolean): ManagedImage {
  const { boundTo, global, ...registration } = image.registration;
  if (wanted) return { ...image, registration: { ...registration, global: true } };
  return { ...image, registration: { ...registration, ...(boundTo !== undefined && { boundTo }) } };
}

/** Only for the members of these groups, or for all again where it is null. */
export function narrowed(image: ManagedImage, groups: readonly string[] | null): ManagedImage {
  const { groups: _, ...registration } = image.registration;
  return { ...image, registration: { ...registration, ...(groups && { groups }) } };
}

const refused = (field: string, message: string) => invalidInput([{ field, code: 'Invalid', message }]);

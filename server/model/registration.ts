import type { Image } from '../../imgapi/image.js';
import { MAIN } from './datacenter.js';
import type { Machine } from './snapshot.js';

/** Who an image is for, with the numbers that command lines know. */
export const accessLevels = { public: 1, private: 3, deleted: 4, internal: 9 } as const;
export type Access = keyof typeof accessLevels;

const colours = ['blue', 'yellow', 'green', 'orange', 'purple', 'red', 'gray', 'white'] as const;
const flags = ['flag-blue', 'flag-green', 'flag-orange', 'flag-purple', 'flag-red'] as const;
const symbols = ['asterisk', 'bug', 'key', 'lightbulb', 'star'] as const;
const tags = ['tag-blue', 'tag-green', 'tag-orange', 'tag-purple', 'tag-red', 'tag-yellow'] as const;
export const labels = [...colours, ...flags, ...symbols, ...tags] as const;
export type Label = (typeof labels)[number];

/** What of an image decides in which data centers it is seen, and by whom. */
export interface Placement {
  access: Access;
  datacenters: readonly string[];
  /** The one data center whose administrators manage it; shared where it is absent. */
  boundTo?: string;
  /** Attached to all data centers, those to come included. */
  global?: true;
  /** Narrows those who see and use it to the members of these groups. */
  groups?: readonly string[];
  /** It was deleted, and is only here until no node has it any more: nobody is told of it over IMGAPI. */
  leaving?: true;
}

/** What works on an image. */
export interface Pending {
  task: string;
  what: string;
  /** What it will bring; it is counted as if it were here. */
  bytes?: number;
}

/** What management keeps of an image beside its manifest, whose name, version, description and owner it shares. */
export interface Registration extends Placement {
  /** By which management addresses it; fixed. The manifest's name is its alias. */
  name: string;
  label?: Label;
  golden?: true;
  deprecated?: { at: string; by: string; reason?: string; replacement?: string };
  /** Why nothing may change it at the moment: what works on it. */
  pending?: Pending;
  /** How it came, as far as that is known. */
  provenance?: { by?: string; repository?: string; url?: string; machine?: Machine };
  created: string;
  changed: string;
}

/** An image that management knows of. */
export type ManagedImage = RegisteredImage & { registration: Registration };

export const isManaged = (image: RegisteredImage | undefined): image is ManagedImage =>
  image?.registration !== undefined;

/** An image as the server keeps it. */
export interface RegisteredImage extends Image {
  registration?: Registration;
}

/** Of images from before there were data centers, or of a server that has none. */
export function placementOf(image: { public: boolean; registration?: Placement }): Placement {
  return image.registration ?? { access: image.public ? 'public' : 'private', datacenters: [MAIN] };
}

export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** The key of an image that came with nothing but a manifest. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 32);
  return slug === '' ? 'image' : slug;
}

/** Shared images stand first among those of a name. */
export const nameIndex = ({ name, boundTo = '' }: Pick<Registration, 'name' | 'boundTo'>) => `name:${name}/${boundTo}`;

/** The case of a version, and of the alias it belongs to, makes no difference. */
export const versionIndex = ({ name, version }: Pick<Image, 'name' | 'version'>) =>
  `version:${`${name}@${version}`.toLowerCase()}`;

/**
 * Do two images stand in each other's way, with the same name or version? Shared ones in that of all, bound ones in that
 * of their data center.
 */
export const rivals = (one: Pick<Placement, 'boundTo'>, other: Pick<Placement, 'boundTo'>) =>
  one.boundTo === undefined || other.boundTo === undefined || one.boundTo === other.boundTo;

/** The manifest says public of public images only; who writes that field over IMGAPI writes the access with it. */
export function agreeing(before: RegisteredImage | undefined, after: RegisteredImage): RegisteredImage {
  const { registration } = after;
  if (!registration || (registration.access === 'public') === after.public) return after;
  if (before && before.public !== after.public) {
    return { ...after, registration: { ...registration, access: after.public ? 'public' : 'private' } };
  }
  return { ...after, public: registration.access === 'public' };
}

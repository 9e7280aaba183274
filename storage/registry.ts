import type { Readable } from 'node:stream';
import type { ExchangeOptions } from '../imgapi/exchange.js';
import type { RemoteFile } from './sources.js';

/** How a server is reached, and by its leave others: the agent knows which addresses are open to whoever asks. */
export type Reach = (url: string) => ExchangeOptions;

/** A repository of images at a registry of containers. */
export interface RepositoryName {
  /** docker.io, or a host with its port where that is said. */
  registry: string;
  /** On the wire, such as library/busybox. */
  path: string;
  /** As people shorten it: busybox. */
  local: string;
  /** docker.io/busybox */
  canonical: string;
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** Of one image: what it is made of, base first. */
export interface ImageManifest {
  config: Descriptor;
  layers: Descriptor[];
}

export interface PulledManifest extends ImageManifest {
  /** As it came, to the byte: its digest is of this. */
  text: string;
  digest: string;
  mediaType: string;
}

export interface RegistryOptions {
  reach: Reach;
  login?: { user: string; password: string } | undefined;
  /** What is about to be done: pushing takes more than pulling. */
  access: 'pull' | 'push';
  /** Registries that speak plain HTTP, with their ports. Those on loopback do anyway. */
  insecure: readonly string[];
  /** Milliseconds for which the registry may be silent. */
  patience: number;
  /** Another repository of the registry, from which blobs may be taken. */
  beside?: string | undefined;
}

/** A repository, asked in the distribution protocol (OCI, Docker v2). What is refused or wrong throws RemoteSourceError. */
export interface Repository {
  readonly name: RepositoryName;
  /** By tag or digest; of a list, the one for Linux on amd64. */
  manifest(reference: string, signal: AbortSignal): Promise<PulledManifest>;
  /** A small blob, whole and verified. */
  text(blob: Descriptor, signal: AbortSignal): Promise<string>;
  blob(blob: Pick<Descriptor, 'digest' | 'size'>): RemoteFile;
  has(digest: string, signal: AbortSignal): Promise<boolean>;
  /** Takes a blob from the repository beside, where the registry does that. */
  mount(digest: string, signal: AbortSignal): Promise<boolean>;
  upload(blob: Pick<Descriptor, 'digest' | 'size'>, open: () => Promise<Readable>, signal: AbortSignal): Promise<void>;
  putManifest(reference: string, manifest: { text: string; mediaType: string }, signal: AbortSignal): Promise<void>;
}

const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';

/** Over TLS, but on loopback and where it is said otherwise. */
export function registryUrl({ registry }: Pick<RepositoryName, 'registry'>, insecure: readonly string[]): string {
  const host = registry.replace(/:\d+$/, '');
  const isOwn = host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
  const isPlain = isOwn || insecure.includes(registry);
  return new URL(`${isPlain ? 'http' : 'https'}://${registry === HUB ? HUB_HOST : registry}`).origin;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;
const MOST_LETTERS = 255;

export const TAG = /^\w[\w.-]{0,127}$/;
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

const LIBRARY = 'library/';
const namesOfHub = new Set([HUB, `index.${HUB}`, HUB_HOST]);

/** A repository as people write it: what stands before the first slash is a host where it can not be anything else. */
export function parseRepository(text: string): RepositoryName | undefined {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isHost = /[.:]/.test(first) || first.toLowerCase() === 'localhost';
  const host = isHost ? first.toLowerCase() : HUB;
  const path = isHost ? text.slice(slash + 1) : text;
  if (!HOST.test(host) || !PATH.test(path) || text.length > MOST_LETTERS) return undefined;
  // such as 999.999.999.999, or a port that is none
  if (!URL.canParse(`https://${host}`)) return undefined;
  if (!namesOfHub.has(host)) {
    return { registry: host, path, local: `${host}/${path}`, canonical: `${host}/${path}` };
  }
  const local = path.startsWith(LIBRARY) ? path.slice(LIBRARY.length) : path;
  return { registry: HUB, path: local.includes('/') ? local : LIBRARY + local, local, canonical: `${HUB}/${local}` };
}

/** REPO:TAG or REPO@DIGEST; a tag of its own where none is said. */
export function splitReference(text: string): { repo: string; reference: string } {
  const at = text.indexOf('@');
  if (at >= 0) return { repo: text.slice(0, at), reference: text.slice(at + 1) };
  const [, repo = text, reference = 'latest'] = /^(.*):([^/:]*)$/.exec(text) ?? [];
  return { repo, reference };
}

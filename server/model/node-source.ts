import type { DatacenterSettings } from './datacenter-settings.js';
import type { Node } from './node.js';
import { nodePath } from './node-token.js';
import { urlForNodes } from './public-url.js';
import { withoutSecrets } from './token.js';

export const sourceStates = ['ok', 'differs', 'offline', 'failed', 'off'] as const;
export type SourceState = (typeof sourceStates)[number];

/** Which image servers a node asks, as it has told, and how it went to have it ask those that are configured. */
export interface NodeSources {
  node: string;
  state: Exclude<SourceState, 'off'>;
  /** Since when that is its state. */
  since: string;
  /** When it was asked last, or was to be. */
  checked: string;
  /** Without what is secret in them, as all here. */
  there?: string[];
  /** What it had before the server has written there. */
  before?: string[];
  /** What it was to have at that time. */
  wanted: string[];
  error?: string;
  /** So many times in a row it has failed. */
  failures: number;
}

export const nodeSources = {
  name: 'node-sources',
  id: ({ node }: NodeSources) => node,
};

/** What a node is to ask: this server by a token of its own, unless it is known without, and then the others. */
export interface WantedSources {
  own?: { url: string; byToken: boolean };
  others: readonly string[];
}

/** Throws NoPublicUrl. A server that keeps records only is none to ask. */
export function wantedSources(
  { knownByAddress }: Pick<Node, 'knownByAddress'>,
  { VMS_IMAGE_SOURCES: others, VMS_IMAGE_VM: server }: Pick<DatacenterSettings, 'VMS_IMAGE_SOURCES' | 'VMS_IMAGE_VM'>,
  publicUrl: string | undefined,
): WantedSources {
  if (server === '') return { others };
  return { own: { url: urlForNodes(publicUrl), byToken: !knownByAddress }, others };
}

/** As the node is told, in its order. */
export function sourcesWith({ own, others }: WantedSources, secret: string): string[] {
  return [...(own ? [own.byToken ? `${own.url}${nodePath(secret)}` : own.url] : []), ...others];
}

/** The secret in the source that leads here; none where there is no such source, or it leads here without. */
export function secretIn(there: readonly string[], { own }: WantedSources): string | undefined {
  const before = own && `${own.url}${nodePath('')}`;
  const source = before && there.find((url) => url.startsWith(before));
  return source && bare(source).slice(before.length);
}

export const areSame = (wanted: readonly string[], there: readonly string[]) =>
  wanted.length === there.length && wanted.every((url, at) => bare(url) === bare(there[at] ?? ''));

/** The client on the node may add a slash, or take one away. */
const bare = (url: string) => url.replace(/\/+$/, '');

/** So much of what a node tells is kept. */
const MOST = 32;
const LONGEST = 300;

/** As people and files may see them: tokens in paths and credentials stand in none of them. */
export const masked = (sources: readonly string[]): string[] =>
  sources.slice(0, MOST).map((url) => withoutSecrets(withoutSenders(url)).slice(0, LONGEST));

const withoutSenders = (url: string) =>
  url
    .slice(0, 4096)
    .replace(/[^\x21-\x7e]+/g, '_')
    .replace(/[?#].*$/, '?…')
    .replace(/\/n\/[^/]+/g, '/n/…')
    .replace(/^([^/]*\/\/)[^/]*@/, '$1…@');

const MINUTE = 60_000;
const LONGEST_PAUSE = 60 * MINUTE;

/** Whether the node is to be asked now: something else is wanted, or it has failed and waited long enough. */
export function isSourceDue(known: NodeSources | undefined, wanted: readonly string[], now: Date): boolean {
  if (!known || known.state === 'differs' || !areSame(known.wanted, wanted)) return true;
  if (known.state === 'ok') return false;
  const pause = Math.min(MINUTE * 2 ** (known.failures - 1), LONGEST_PAUSE);
  return now.getTime() >= Date.parse(known.checked) + pause;
}

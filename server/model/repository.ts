import { MAIN } from './datacenter.js';
import { type DatacenterSettings, presetRepositories } from './datacenter-settings.js';

/** How the last refresh went, and what it left. */
export interface RepositoryState {
  /** What was asked: what is remembered is of it, and of nothing else. */
  url: string;
  /** Of the last refresh that came to its end. */
  lastUpdate?: string;
  /** How many images it has found. */
  count: number;
  /** Of the last refresh, whether or not it came to its end. */
  tried: string;
  /** Why that one failed. */
  error?: string;
}

/** What is kept of a repository beside its name and URL, which stand in the settings. */
export interface RepositoryRecord {
  name: string;
  /** Whether it is asked at all; where nothing is said, presets are not. */
  enabled?: boolean;
  channel?: string;
  /** By name: what proves who asks. */
  secret?: string;
  /** Certificates that its own is trusted because of, in PEM. */
  ca?: string;
  /** Its certificate is not looked at. */
  insecure?: true;
  /** It is refreshed every so many minutes; on demand only where it is 0. */
  every: number;
  /** Its uuids mean its images. */
  authoritative?: true;
  state?: RepositoryState;
}

export const repositories = {
  name: 'repositories',
  id: ({ name }: RepositoryRecord) => name,
  index: ({ secret }: RepositoryRecord) => (secret === undefined ? [] : [`secret:${secret}`]),
};

/** A repository as it is set up. */
export interface RepositorySetup extends RepositoryRecord {
  url: string;
  enabled: boolean;
}

/** Is what is remembered a list of this URL, and a whole one? */
export const isKnown = (state: RepositoryState | undefined, url: string | undefined): boolean =>
  state?.lastUpdate !== undefined && state.url === url;

export const REPOSITORY_NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;

export const MOST_REPOSITORIES = 16;

export const SETTING = 'VMS_IMAGE_REPOSITORIES';

/** Of the settings of main, which hold for all. */
export const urlsIn = (settings: Pick<DatacenterSettings, typeof SETTING>): Readonly<Record<string, string>> =>
  settings[SETTING];

/** Where the settings stand that hold for all. */
export const SETTINGS_OF = MAIN;

/** What came with the server is asked only when somebody says so; what somebody has set is asked. */
export function setUp(name: string, url: string, record: RepositoryRecord = { name, every: 0 }): RepositorySetup {
  const { state, ...own } = record;
  return {
    ...own,
    name,
    url,
    enabled: record.enabled ?? presetRepositories[name] !== url,
    ...(state?.url === url && { state }),
  };
}

/** When it is to be refreshed: those of a schedule do not all come at the same moment. */
export function isDue({ name, enabled, every, state }: RepositorySetup, now: Date): boolean {
  if (!enabled || every === 0) return false;
  if (!state) return true;
  const period = every * 60_000;
  return now.getTime() >= Date.parse(state.tried) + period + (spread(name) % Math.max(1, Math.floor(period / 10)));
}

function spread(name: string): number {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.charCodeAt(0)) >>> 0;
  return sum;
}

/** How long what is refreshed on demand only may be remembered before that is too long, in minutes. */
const ON_DEMAND = 7 * 24 * 60;
/** What is refreshed by itself may be late by so many turns. */
const TURNS = 3;

/** Why what is remembered of it is not to be relied on; nothing where it is. */
export function staleness(
  { enabled, every, state }: RepositorySetup,
  now: Date,
): 'failed' | 'never' | 'old' | undefined {
  if (!enabled) return undefined;
  if (state?.error !== undefined) return 'failed';
  if (state?.lastUpdate === undefined) return 'never';
  const oldest = now.getTime() - (every === 0 ? ON_DEMAND : TURNS * every) * 60_000;
  return Date.parse(state.lastUpdate) < oldest ? 'old' : undefined;
}

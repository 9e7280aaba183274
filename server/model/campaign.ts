import type { ErrorCode } from '../../imgapi/errors.js';

export const campaignStates = ['running', 'stopped', 'done', 'failed'] as const;
export type CampaignState = (typeof campaignStates)[number];

export const campaignNodeStates = ['waiting', 'pulling', 'done', 'skipped', 'failed'] as const;
export type CampaignNodeState = (typeof campaignNodeStates)[number];

/** An image onto many nodes. */
export interface Campaign {
  name: string;
  /** Its uuid, and its name when it began. */
  image: string;
  imageName: string;
  /** The one that the node has, or `zones`, where it is absent. */
  pool?: string;
  /** So many nodes fetch side by side. */
  atOnce: number;
  /** Bytes a second, of all together. */
  bandwidth?: number;
  /** Nodes that are away are waited for until then. */
  until: string;
  state: CampaignState;
  /** Which performs it, or has. */
  task: string;
  nodes: number;
  created: string;
  finished?: string;
  /** Why it could not go on. */
  error?: string;
}

/** How far a campaign is on one of its nodes. */
export interface CampaignNode {
  campaign: string;
  node: string;
  state: CampaignNodeState;
  /** When it came to that. */
  at: string;
  tries: number;
  /** Which brings the image, or was to. */
  task?: string;
  /** Why it is not done, or was not the last time. */
  error?: string;
  /** Waits for the node to come back. */
  away?: true;
  /** It is tried again then. */
  next?: string;
}

export const campaigns = {
  name: 'campaigns',
  id: ({ name }: Campaign) => name,
};

export const campaignNodes = {
  name: 'campaign-nodes',
  id: ({ campaign, node }: CampaignNode) => `${campaign}/${node}`,
};

export const CAMPAIGN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const isOver = ({ state }: Pick<CampaignNode, 'state'>) => state !== 'waiting' && state !== 'pulling';

export type Counts = Record<CampaignNodeState, number>;

export function countsOf(nodes: Iterable<Pick<CampaignNode, 'state'>>): Counts {
  const counts: Counts = { waiting: 0, pulling: 0, done: 0, skipped: 0, failed: 0 };
  for (const { state } of nodes) counts[state] += 1;
  return counts;
}

/** The part of one that fetches: those that do it side by side have no more than the whole together. */
export function shareOf(
  { bandwidth, atOnce }: Pick<Campaign, 'bandwidth' | 'atOnce'>,
  left: number,
): number | undefined {
  return bandwidth === undefined ? undefined : Math.max(1, Math.floor(bandwidth / Math.min(atOnce, Math.max(1, left))));
}

/** Why an attempt came to nothing. */
export interface Refusal {
  code: ErrorCode | string;
  message: string;
}

/** A node that is the wrong one stays it; one that is away comes back; what fails for once may do better the next time. */
const meanings: Partial<Record<ErrorCode | string, 'done' | 'wrong' | 'away' | 'passing'>> = {
  ObjectAlreadyExists: 'done',
  NodeUnsuitable: 'wrong',
  NodeNotManaged: 'wrong',
  NotAvailable: 'wrong',
  InsufficientSpace: 'wrong',
  ResourceNotFound: 'wrong',
  NodeDown: 'away',
  NodeFailed: 'passing',
  ImagePending: 'passing',
  Busy: 'passing',
  ServiceUnavailableError: 'passing',
  StorageIsDown: 'passing',
};

/** A node that fails so often is given up. */
export const MOST_TRIES = 4;

/** What becomes of a node after an attempt; `pauses` are in milliseconds, the last of them for all that follow. */
export function afterAttempt(
  before: CampaignNode,
  refusal: Refusal | undefined,
  { now, pauses }: { now: Date; pauses: readonly number[] },
): CampaignNode {
  const { campaign, node, task } = before;
  const tries = before.tries + 1;
  const one = { campaign, node, tries, at: now.toISOString(), ...(task !== undefined && { task }) };
  const meaning = refusal && meanings[refusal.code];
  if (!refusal || meaning === 'done') return { ...one, state: 'done' };
  const { message: error } = refusal;
  if (meaning === 'wrong') return { ...one, state: 'skipped', error };
  const isGivenUp = meaning === 'passing' && tries >= MOST_TRIES;
  if (meaning === undefined || isGivenUp) return { ...one, state: 'failed', error };
  const pause = pauses[Math.min(tries, pauses.length) - 1] ?? 0;
  const next = new Date(now.getTime() + pause).toISOString();
  return { ...one, state: 'waiting', error, next, ...(meaning === 'away' && { away: true }) };
}

/** Back to the beginning, with what is known of why. */
export function waitingAgain({ campaign, node, error }: CampaignNode, now: Date): CampaignNode {
  return { campaign, node, state: 'waiting', at: now.toISOString(), tries: 0, ...(error !== undefined && { error }) };
}

/** Nobody waits for a node any longer. */
export const notBack = ({ next: _, away: __, ...one }: CampaignNode, until: string, now: Date): CampaignNode => ({
  ...one,
  state: 'failed',
  at: now.toISOString(),
  error: `it was away until ${until}: ${one.error ?? 'it was silent'}`,
});

/** Whether it is a node's turn: `online` is what is known of it by now. */
export function isTurn({ state, next, away }: CampaignNode, online: boolean | undefined, now: Date): boolean {
  if (state !== 'waiting') return false;
  if (next === undefined || Date.parse(next) <= now.getTime()) return true;
  return away === true && online === true;
}

import type { Attempt } from './delivery.js';

/** Somebody elsewhere who is told of what happens, as far as its owner may know of it. */
export interface Webhook {
  /** By uuid. */
  owner: string;
  name: string;
  url: string;
  /** `images.created`, `images.*`, or `*`. */
  events: string[];
  /** The one data center of which it is told. */
  within?: string;
  active: boolean;
  /** Why the server has switched it off. */
  reason?: string;
  /** What signs what it is told. */
  sealed: string;
  created: string;
}

export const webhookId = ({ owner, name }: Pick<Webhook, 'owner' | 'name'>) => `${owner}/${name}`;

export const webhooks = {
  name: 'webhooks',
  id: (webhook: Webhook) => webhookId(webhook),
};

/** Of several events, in order; the last attempts are kept. */
export interface Delivery extends Attempt {
  id: string;
  /** How many events, and the id of the last one. */
  events: number;
  last?: string;
}

/** How far a webhook has been told, and how that went. */
export interface WebhookState {
  webhook: string;
  /** The number of the last change that was told, or was not for it. */
  seq: number;
  failingSince?: string;
  deliveries: Delivery[];
}

export const webhookStates = { name: 'webhook-states', id: ({ webhook }: WebhookState) => webhook };

const MOST_DELIVERIES = 50;

/** The state after an attempt, the newest first; it goes on behind `seq` where that has arrived. */
export function after(
  state: WebhookState,
  delivery: Delivery,
  outcome: 'arrived' | 'failed',
  seq: number,
): WebhookState {
  const { failingSince = delivery.at, ...rest } = state;
  const deliveries = [delivery, ...state.deliveries].slice(0, MOST_DELIVERIES);
  if (outcome === 'arrived') return { ...rest, seq: Math.max(seq, state.seq), deliveries };
  return { ...rest, failingSince, deliveries };
}

export const WEBHOOK_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const EVENT_PATTERN = /^(\*|[a-z][a-z-]{0,31}\.(\*|created|changed|deleted))$/;

export const MOST_WEBHOOKS = 16;

export const purposeOfWebhook = (webhook: Pick<Webhook, 'owner' | 'name'>) => `webhook ${webhookId(webhook)}`;

export const wants = ({ events }: Pick<Webhook, 'events'>, kind: string, action: string): boolean =>
  events.some((pattern) => pattern === '*' || pattern === `${kind}.*` || pattern === `${kind}.${action}`);

import { randomUUID } from 'node:crypto';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type Attempt, arrived } from '../model/delivery.js';
import { toldOf } from '../model/event.js';
import { LASTING } from '../model/token.js';
import {
  after,
  type Delivery,
  purposeOfWebhook,
  type Webhook,
  type WebhookState,
  wants,
  webhookId,
  webhookStates,
  webhooks,
} from '../model/webhook.js';
import { currentCaller } from './current-caller.js';
import { deliver } from './deliver.js';
import { changeAt, eventFor } from './follow-events.js';

/** What came of it: told, tried in vain, there was nothing, or there will not be any more. */
export type Outcome = 'told' | 'failed' | 'nothing' | 'over';

/** Where the next time begins. */
export interface Told {
  outcome: Outcome;
  seq: number;
}

export interface WebhookEvent {
  event: string;
  id?: string;
}

/** So many events go together at most. */
const MOST_TOGETHER = 100;

/** After so many changes that were not for it, how far it has come is kept. */
const KEEP_EVERY = 1000;

/** Sends what has happened behind `from`, and behind what is kept to be told, once. */
export async function tellWebhook(
  deps: Deps,
  id: string,
  { from, signal, giveUp }: { from: number; signal: AbortSignal; giveUp: number },
): Promise<Told> {
  const { catalog, now } = deps;
  const webhook = await catalog.get(webhooks, id);
  const state = await catalog.get(webhookStates, id);
  if (!webhook?.active || !state) return { outcome: 'over', seq: from };
  const caller = ownerNow(deps, webhook);
  if (!caller) return switchOff(deps, id, 'its owner is not active any more');
  const { events, seq } = await since(deps, webhook, caller, Math.max(from, state.seq), signal);
  if (events.length === 0) {
    if (seq - state.seq >= KEEP_EVERY) await catalog.write((tx) => change(tx, id, (one) => ({ ...one, seq })));
    return { outcome: 'nothing', seq };
  }
  const delivery = await send(deps, webhook, caller, events, signal);
  const outcome = arrived(delivery) ? 'arrived' : 'failed';
  deps.metrics.instruments.deliveries_total.inc({ kind: 'webhook', outcome });
  await catalog.write((tx) => change(tx, id, (one) => after(one, delivery, outcome, seq)));
  if (outcome === 'arrived') return { outcome: 'told', seq };
  const { failingSince = delivery.at } = state;
  if (now().getTime() - Date.parse(failingSince) < giveUp) return { outcome: 'failed', seq: from };
  return switchOff(deps, id, `it has failed since ${failingSince}: ${delivery.error ?? delivery.status}`);
}

/** What its owner wants to know whether it arrives. */
export async function pingWebhook(deps: Deps, webhook: Webhook, signal: AbortSignal): Promise<Delivery> {
  const caller = ownerNow(deps, webhook);
  const at = deps.now().toISOString();
  const delivery = caller
    ? await send(deps, webhook, caller, [{ event: 'ping' }], signal)
    : { id: randomUUID(), at, took: 0, events: 1, error: 'its owner is not active any more' };
  const keep = (one: WebhookState) => ({ ...one, deliveries: after(one, delivery, 'failed', 0).deliveries });
  await deps.catalog.write((tx) => change(tx, webhookId(webhook), keep));
  return delivery;
}

function ownerNow(deps: Deps, { owner, within }: Webhook): Caller | undefined {
  const user = deps.directory.users.get(owner);
  return user && currentCaller(deps, user, { ...LASTING, dc: within });
}

/** What the owner may know of, and wants to; and up to which change that goes. */
async function since(deps: Deps, webhook: Webhook, caller: Caller, from: number, signal: AbortSignal) {
  const { head, limits } = deps.events;
  const reset = { events: [{ event: 'reset' }], seq: head };
  if (head - from > limits.mostBehind) return reset;
  const events: WebhookEvent[] = [];
  let seq = from;
  while (seq < head && events.length < MOST_TOGETHER) {
    signal.throwIfAborted();
    const entry = await changeAt(deps, seq + 1);
    // sealed since
    if (!entry) return { events: [...events, ...reset.events], seq: head };
    seq += 1;
    const seen = await eventFor(deps, caller, entry);
    const told = seen ? toldOf(seen).filter(({ kind, action }) => wants(webhook, kind, action)) : [];
    events.push(...told.map((one) => ({ id: entry.id, event: `${one.kind}.${one.action}`, ...one })));
  }
  return { events, seq };
}

async function send(
  deps: Deps,
  webhook: Webhook,
  caller: Caller,
  events: readonly WebhookEvent[],
  signal: AbortSignal,
): Promise<Delivery> {
  const { name, url, sealed } = webhook;
  const id = randomUUID();
  const last = events.at(-1)?.id;
  const about = { id, events: events.length, ...(last !== undefined && { last }) };
  const attempt = async (): Promise<Attempt> => {
    const key = deps.seals.open(sealed, purposeOfWebhook(webhook));
    const content = { webhook: name, events };
    const message = { id, event: 'events', url, method: 'POST' as const, content, key };
    return deliver(deps, { ...message, trusted: isOperator(caller) }, signal);
  };
  return attempt().then(
    (one) => ({ ...about, ...one }),
    (error: Error) => {
      signal.throwIfAborted();
      return { ...about, at: deps.now().toISOString(), took: 0, error: error.message };
    },
  );
}

async function switchOff({ catalog, log }: Deps, id: string, reason: string): Promise<Told> {
  await catalog.write(async (tx) => {
    const webhook = await tx.get(webhooks, id);
    if (webhook?.active) await tx.replace(webhooks, { ...webhook, active: false, reason });
  });
  log.warn({ webhook: id, reason }, 'a webhook was switched off');
  return { outcome: 'over', seq: 0 };
}

async function change(tx: Tx, id: string, to: (state: WebhookState) => WebhookState): Promise<void> {
  const state = await tx.get(webhookStates, id);
  if (state) await tx.replace(webhookStates, to(state));
}

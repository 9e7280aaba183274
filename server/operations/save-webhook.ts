import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { auditHeads, CHANGES } from '../model/audit.js';
import { callbackKeys } from '../model/callback.js';
import { type Caller, isOperator } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import type { Grant } from '../model/token.js';
import type { User } from '../model/user.js';
import {
  MOST_WEBHOOKS,
  purposeOfWebhook,
  type Webhook,
  type WebhookState,
  webhookId,
  webhookStates,
  webhooks,
} from '../model/webhook.js';
import { checkStands } from './check-stands.js';
import { findUser } from './find-user.js';
import { makeSecret } from './token-secret.js';

export interface WebhookWish {
  url?: string | undefined;
  events?: string[] | undefined;
  active?: boolean | undefined;
  /** The one data center of which it is told. */
  dc?: string | undefined;
  /** A new key is wanted. */
  new_secret?: boolean | undefined;
}

export interface Address {
  name: string;
  /** Whose it is; the caller's own where nobody is named. */
  user?: string | undefined;
}

/** With the key that signs, where that is new: it is not told again. */
export interface Saved {
  webhook: Webhook;
  secret?: string;
}

/** Those of the caller, or of the user who is named; of all users for operators who name none. */
export async function listWebhooks(
  { catalog }: Deps,
  caller: Caller,
  userName: string | undefined,
): Promise<Webhook[]> {
  const owner = userName === undefined && isOperator(caller) ? undefined : await ownerOf(catalog, caller, userName);
  const found: Webhook[] = [];
  for await (const webhook of catalog.list(webhooks)) {
    if ((owner === undefined || webhook.owner === owner.uuid) && isReached(caller, webhook)) found.push(webhook);
  }
  return found;
}

export async function findWebhook(reader: Reader, caller: Caller, { name, user }: Address): Promise<Webhook> {
  const owner = await ownerOf(reader, caller, user);
  const webhook = await reader.get(webhooks, webhookId({ owner: owner.uuid, name }));
  if (!webhook || !isReached(caller, webhook))
    throw new ImgapiError('ResourceNotFound', `there is no webhook "${name}"`);
  return webhook;
}

export const stateOf = ({ catalog }: Pick<Deps, 'catalog'>, webhook: Webhook): Promise<WebhookState | undefined> =>
  catalog.get(webhookStates, webhookId(webhook));

export async function createWebhook(
  deps: Deps,
  caller: Caller,
  own: Grant,
  address: Address,
  wish: WebhookWish,
): Promise<Saved> {
  const { catalog, seals, now } = deps;
  const { url, events, active = true, dc = own.dc } = wish;
  const { name } = address;
  if (url === undefined) throw missing('url', 'is where it is told');
  if (events === undefined) throw missing('events', 'are what it is told of, such as images.created, images.* or *');
  const user = await ownerOf(catalog, caller, address.user);
  checkUrl(deps, url, { trusted: user.superAdmin && dc === undefined });
  const secret = makeSecret();
  const sealed = await seals.seal(secret, purposeOfWebhook({ owner: user.uuid, name }));
  const webhook: Webhook = {
    owner: user.uuid,
    name,
    url,
    events: [...new Set(events)],
    ...(dc !== undefined && { within: dc }),
    active,
    sealed,
    created: now().toISOString(),
  };
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (dc !== undefined) await checkDatacenter(tx, caller, own, dc);
    if (await tx.get(webhooks, webhookId(webhook))) {
      throw new ImgapiError('ObjectAlreadyExists', `webhook "${name}" exists already`);
    }
    let count = 0;
    for await (const { owner } of tx.list(webhooks)) if (owner === user.uuid) count += 1;
    if (count >= MOST_WEBHOOKS) throw new ImgapiError('QuotaExceeded', `a user has ${MOST_WEBHOOKS} webhooks at most`);
    await tx.insert(webhooks, webhook);
    const seq = (await tx.get(auditHeads, CHANGES))?.seq ?? 0;
    await tx.insert(webhookStates, { webhook: webhookId(webhook), seq, deliveries: [] });
  });
  return { webhook, secret };
}

/** Switched on again, it goes on where it was. */
export async function updateWebhook(
  deps: Deps,
  caller: Caller,
  own: Grant,
  address: Address,
  wish: WebhookWish,
): Promise<Saved> {
  const { catalog, seals } = deps;
  const user = await ownerOf(catalog, caller, address.user);
  if (wish.url !== undefined) {
    const { within } = await findWebhook(catalog, caller, address);
    checkUrl(deps, wish.url, { trusted: user.superAdmin && within === undefined });
  }
  const secret = wish.new_secret ? makeSecret() : undefined;
  const sealed = secret && (await seals.seal(secret, purposeOfWebhook({ owner: user.uuid, name: address.name })));
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const { reason, ...before } = await findWebhook(tx, caller, address);
    const { url = before.url, events = before.events, active = before.active } = wish;
    const webhook: Webhook = {
      ...before,
      url,
      events: [...new Set(events)],
      active,
      ...(!active && reason !== undefined && { reason }),
      ...(sealed && { sealed }),
    };
    await tx.replace(webhooks, webhook);
    const state = await tx.get(webhookStates, webhookId(webhook));
    if (active && state?.failingSince !== undefined) {
      const { failingSince, ...fresh } = state;
      await tx.replace(webhookStates, fresh);
    }
    return { webhook, ...(secret !== undefined && { secret }) };
  });
}

export async function deleteWebhook({ catalog }: Deps, caller: Caller, own: Grant, address: Address): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    await forget(tx, await findWebhook(tx, caller, address));
  });
}

/** With their owner go those, and what signed for him. */
export async function forgetWebhooks(tx: Tx, owner: string): Promise<void> {
  const own: Webhook[] = [];
  for await (const webhook of tx.list(webhooks)) if (webhook.owner === owner) own.push(webhook);
  for (const webhook of own) await forget(tx, webhook);
  if (await tx.get(callbackKeys, owner)) await tx.delete(callbackKeys, owner);
}

async function forget(tx: Tx, webhook: Webhook): Promise<void> {
  const id = webhookId(webhook);
  await tx.delete(webhooks, id);
  if (await tx.get(webhookStates, id)) await tx.delete(webhookStates, id);
}

async function ownerOf(reader: Reader, caller: Caller, name: string | undefined): Promise<User> {
  const user = await findUser(reader, caller, name);
  if (!user) throw new ImgapiError('ResourceNotFound', `there is no user "${name ?? ''}"`);
  return user;
}

/** Credentials for one data center reach only what is for the same. */
const isReached = (caller: Caller, { within }: Webhook): boolean =>
  caller.kind !== 'user' || caller.rights.within === undefined || caller.rights.within === within;

/** As it will be asked: by the rights of its owner, and with those of one data center only nobody is exempt. */
function checkUrl({ outgoing }: Deps, url: string, access: { trusted: boolean }): void {
  const problem = outgoing.problemWith(url, access);
  if (problem !== undefined) throw invalidInput([{ field: 'url', code: 'Invalid', message: `url ${problem}` }]);
}

/** One that the caller may not know of is none. */
async function checkDatacenter(reader: Reader, caller: Caller, own: Grant, name: string): Promise<void> {
  if (own.dc !== undefined && own.dc !== name) {
    throw new ImgapiError('NotPermitted', `a token that is good in data center ${own.dc} only can not give more`);
  }
  const isKnown = isOperator(caller) || (caller.kind === 'user' && caller.rights.member.has(name));
  if (isKnown && (await reader.get(datacenters, name))) return;
  throw invalidInput([{ field: 'dc', code: 'Invalid', message: `dc names no data center: "${name}"` }]);
}

const missing = (field: string, why: string) =>
  invalidInput([{ field, code: 'MissingParameter', message: `${field} ${why}` }]);

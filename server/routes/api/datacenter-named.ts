import { z } from 'zod';
import { isRecord } from '../../../imgapi/checks.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { nameOfCaller } from '../../model/caller.js';
import { MAIN } from '../../model/datacenter.js';
import { answer } from '../../model/permissions.js';

/** Danube Cloud's command line names a data center with every call, whether it means something there or not. */
export const DATACENTER = 'dc';

/** How calls that have nothing to do with it describe it. */
export const described = { type: 'string', maxLength: 100, description: 'taken by every call; without meaning here' };

/** Whether a call gives it a meaning of its own. */
export function takesDatacenter(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return takesDatacenter(schema.unwrap());
  return !(schema instanceof z.ZodObject) || DATACENTER in schema.shape;
}

/** What was sent, without the name where that means nothing. */
export function withoutDatacenter(schema: z.core.$ZodType, sent: unknown): unknown {
  const named = namedIn(sent);
  if (named === undefined || named.length > described.maxLength || takesDatacenter(schema)) return sent;
  return Object.fromEntries(Object.entries(Object(sent)).filter(([name]) => name !== DATACENTER));
}

/** Who asks, whom, and about which data center: one that the caller does not see is not repeated. */
export function introduce(ctx: Context, { directory, policy }: Deps): void {
  const { caller } = ctx.state;
  const named = namedIn(ctx.query) ?? namedIn(ctx.request.body) ?? MAIN;
  const isSeen = directory.datacenters.has(named) && answer(caller, 'pick images', { datacenter: named }) === 'yes';
  ctx.set({ es_username: nameOfCaller(caller), es_dc: isSeen ? named : MAIN, es_version: policy.version });
}

function namedIn(sent: unknown): string | undefined {
  const named = isRecord(sent) ? sent[DATACENTER] : undefined;
  return typeof named === 'string' ? named : undefined;
}

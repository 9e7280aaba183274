import { isRecord } from '../../../imgapi/checks.js';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import type { CallbackWish } from '../../model/callback.js';
import { isOperator } from '../../model/caller.js';
import { deliveryMethods } from '../../model/delivery.js';

const names = ['cb_url', 'cb_method'];

const MOST = 2048;

/** As calls that change something describe them. */
export const describedCallback = {
  cb_url: { type: 'string', maxLength: MOST, description: 'told, signed, when what was asked for has ended' },
  cb_method: { type: 'string', enum: [...deliveryMethods], description: 'how it is told; by POST unless given' },
};

/** Where whoever asks wants to be told the end, as command lines say with any call that changes something. */
export function callbackIn(ctx: Context, { outgoing }: Pick<Deps, 'outgoing'>): CallbackWish | undefined {
  if (!takesCallback(ctx)) return undefined;
  const said = { ...ctx.query, ...(isRecord(ctx.request.body) && ctx.request.body) };
  const { cb_url: url, cb_method: method = 'POST' } = said as Record<string, unknown>;
  if (url === undefined && said.cb_method === undefined) return undefined;
  if (url === undefined) throw wrong('cb_url', 'is missing: cb_method says how it is told', 'MissingParameter');
  if (typeof url !== 'string' || url.length > MOST) throw wrong('cb_url', `is not a URL of ${MOST} characters at most`);
  const problem = outgoing.problemWith(url, { trusted: isOperator(ctx.state.caller) });
  if (problem !== undefined) throw wrong('cb_url', problem);
  const known = deliveryMethods.find((one) => one === String(method).toUpperCase());
  if (!known) throw wrong('cb_method', `is not one of ${deliveryMethods.join(', ')}`);
  return { url, method: known };
}

/** What was sent, without that. */
export function withoutCallback(ctx: Context, sent: unknown): unknown {
  if (!takesCallback(ctx) || !isRecord(sent) || !names.some((name) => name in sent)) return sent;
  return Object.fromEntries(Object.entries(sent).filter(([name]) => !names.includes(name)));
}

const takesCallback = ({ method, state }: Context) =>
  method !== 'GET' && method !== 'HEAD' && Boolean(state.credentials);

const wrong = (field: string, what: string, code: 'Invalid' | 'MissingParameter' = 'Invalid') =>
  invalidInput([{ field, code, message: `${field} ${what}` }]);

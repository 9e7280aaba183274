import { Exchange } from '../../imgapi/exchange.js';
import { AnsweredBadly } from '../../imgapi/exchange-errors.js';
import type { Deps } from '../deps.js';
import { type Attempt, type DeliveryMethod, signatureOf } from '../model/delivery.js';

/** Something that is told to somebody else's server. */
export interface Message {
  id: string;
  event: string;
  url: string;
  method: DeliveryMethod;
  /** In the body, or in the query of a GET. */
  content: Readonly<Record<string, unknown>>;
  key: string;
  /** Whether it may go where strangers may not send the server. */
  trusted: boolean;
}

/** In milliseconds. */
const PATIENCE = 10_000;

/** Once, and never throws but for the signal: what came of it is what is kept. */
export async function deliver(
  { outgoing, now }: Pick<Deps, 'outgoing' | 'now'>,
  { id, event, url, method, content, key, trusted }: Message,
  signal: AbortSignal,
): Promise<Attempt> {
  const at = now();
  const began = performance.now();
  const took = () => Math.round(performance.now() - began);
  const to = new URL(url);
  if (method === 'GET') for (const [name, value] of Object.entries(content)) to.searchParams.set(name, plain(value));
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signed = method === 'GET' ? to.search.slice(1) : JSON.stringify(content);
  const headers = {
    'slipway-delivery': id,
    'slipway-event': event,
    'slipway-timestamp': timestamp,
    'slipway-signature': signatureOf(key, timestamp, signed),
  };
  try {
    const exchange = new Exchange({ ...outgoing.to(to.origin, { trusted }), patience: PATIENCE, signal });
    const json = method === 'GET' ? {} : { json: content };
    const { status, body } = await exchange.send(method, to.pathname + to.search, { ...json, headers });
    body.destroy();
    return { at: at.toISOString(), took: took(), status };
  } catch (error) {
    signal.throwIfAborted();
    const status = statusOf(error);
    const said = (error instanceof Error ? error.message : String(error)).slice(0, 500);
    return { at: at.toISOString(), took: took(), ...(status !== undefined && { status }), error: said };
  }
}

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const answered = [error, cause].find((one) => one instanceof AnsweredBadly);
  return answered instanceof AnsweredBadly ? answered.answered : undefined;
}

const plain = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

import { z } from 'zod';
import { ImgapiError } from '../../../imgapi/errors.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { mayAsk, type Operation } from '../../model/permissions.js';
import { Started } from '../../model/task.js';
import type { Grant } from '../../model/token.js';
import type { Description, Handler } from '../route.js';
import { send, sendStarted } from './envelope.js';
import { parse } from './input.js';
import { Page } from './page.js';

/** What a call of the management API hands to whoever performs it, all of it checked. */
export interface Asked<Query, Body> {
  caller: Caller;
  /** What the caller's credentials are good for. */
  own: Grant;
  params: Context['params'];
  query: Query;
  body: Body;
}

interface Plan<Query extends z.ZodType, Body extends z.ZodType> extends Description {
  /** Whoever may do this in no data center is refused before anything is read or looked up. */
  operation?: Operation;
  query: Query;
  body: Body;
  perform(asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps): Promise<unknown>;
}

export interface Endpoint {
  description: Description;
  handler: Handler;
}

/** The body of a request that has none, and its query. */
export const noBody = z.undefined();
export const noQuery = z.strictObject({});

/** One call of the management API: the same schemas check what comes and make the document that describes it. */
export function endpoint<Query extends z.ZodType, Body extends z.ZodType>(plan: Plan<Query, Body>): Endpoint {
  const { perform, operation, ...description } = plan;
  const handler: Handler = async (ctx, deps) => {
    const { caller, credentials } = ctx.state;
    if (!credentials) throw new ImgapiError('UnauthorizedError', 'the management API needs credentials');
    if (operation && !mayAsk(caller, operation)) {
      throw new ImgapiError('NotPermitted', `to ${operation} takes a role that you have in no data center`);
    }
    const query = parse(plan.query, ctx.query, 'query');
    const body = parse(plan.body, ctx.request.body, 'body');
    // Answers depend on who asks, and some hold secrets.
    ctx.set('Cache-Control', 'no-store');
    const answer = await perform({ caller, own: credentials, params: ctx.params, query, body }, deps);
    if (answer instanceof Started) return sendStarted(ctx, deps, answer.task);
    const told = answer instanceof Page ? answer : { result: answer ?? null };
    send(ctx, { task_id: null, status: 'SUCCESS', ...told }, plan.status);
  };
  return { description, handler };
}

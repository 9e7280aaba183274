import { z } from 'zod';
import { ImgapiError } from '../../../imgapi/errors.js';
import { type Context, whileThere } from '../../context.js';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { mayAsk, type Operation, refusalOf } from '../../model/permissions.js';
import { Started } from '../../model/task.js';
import type { Grant } from '../../model/token.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { callBack } from '../../operations/keep-callback.js';
import type { Description, Handler } from '../route.js';
import { callbackIn, withoutCallback } from './callback-named.js';
import { isCheckOnly, tried } from './check-only.js';
import { introduce, withoutDatacenter } from './datacenter-named.js';
import { AtOnce, envelopeOf, send, sendStarted, statusOfTask, Told } from './envelope.js';
import { parse } from './input.js';
import { Page, Stretch } from './page.js';
import { checkExpected, expectedIn, heldTo, Tagged } from './tags.js';

/** What a call of the management API hands to whoever performs it, all of it checked. */
export interface Asked<Query, Body> {
  caller: Caller;
  /** What the caller's credentials are good for. */
  own: Grant;
  /** Aborted when the caller has left; only for calls that do nothing but answer. */
  whileThere(): AbortSignal;
  params: Context['params'];
  query: Query;
  body: Body;
}

interface Plan<Query extends z.ZodType, Body extends z.ZodType> extends Omit<Description, 'makes'> {
  /** Whoever may do this in no data center is refused before anything is read or looked up. */
  operation?: Operation;
  query: Query;
  body: Body;
  /** The record that `perform` changes, found and refused as it does: If-Match is held against its tag. */
  changes?(asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps): Finding;
  /** The one that it makes where there is none, found as it is shown: If-None-Match is held against there being none. */
  makes?(asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps): Finding;
  /**
   * What else refuses it before anything is done, for calls that are only checked. It asks no other machine; what it writes
   * to the catalog is not kept, so that it may be `perform` itself where that does nothing else.
   */
  check?(asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps): unknown;
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
  const { perform, operation, changes, makes, check, ...rest } = plan;
  const description: Description = {
    ...withTags(rest, changes ? 'changed' : rest.tagged),
    ...(makes && { makes: true }),
    checkable: true,
  };
  const handler: Handler = async (ctx, deps) => {
    const asked = askedOf(ctx, plan, deps);
    const expected = expectedIn(ctx, description);
    const held = (means: Deps) => {
      const find = expected === 'nothing' ? makes : changes;
      return find ? heldTo(ctx, means, expected, find(asked, means)) : means;
    };
    const callback = callbackIn(ctx, deps);
    if (isCheckOnly(ctx)) {
      await tried(deps, async (means) => {
        const conditional = await held(means);
        await check?.(asked, conditional);
      });
      ctx.status = 204;
      return;
    }
    const answer = await perform(asked, await held(callback ? { ...deps, callback } : deps));
    const { entry } = ctx.state;
    if (answer instanceof Tagged) {
      checkExpected(ctx, expected, answer.tag);
      ctx.set('ETag', answer.tag);
      return send(ctx, done(ctx, answer.result), plan.status);
    }
    // What is done at once is told as well: whoever wants to be told can not know before which way it goes.
    if (callback && entry !== undefined && !(answer instanceof Started || answer instanceof Told)) {
      await callBack(deps, callback, asked.caller, entry);
    }
    if (answer instanceof Started) return sendStarted(ctx, deps, answer);
    if (answer instanceof AtOnce) return send(ctx, done(ctx, answer.result), 200);
    if (answer instanceof Told) return send(ctx, envelopeOf(answer.task), statusOfTask[answer.task.status]);
    const isPart = answer instanceof Page || answer instanceof Stretch;
    const told = isPart ? answer : { result: answer ?? null };
    // What was done at once is known by its entry in the audit.
    send(ctx, { task_id: ctx.state.entry ?? null, status: 'SUCCESS', ...told }, plan.status);
  };
  return { description, handler };
}

const withTags = (description: Description, tagged: Description['tagged']): Description =>
  tagged ? { ...description, tagged, refusals: [...description.refusals, 'PreconditionFailed'] } : description;

const done = ({ state }: Context, result: unknown) => ({
  task_id: state.entry ?? null,
  status: 'SUCCESS' as const,
  result,
});

interface ShowPlan<Query extends z.ZodType, Body extends z.ZodType, Found extends object>
  extends Omit<Plan<Query, Body>, 'changes' | 'makes' | 'perform' | 'tagged'> {
  /** What the tag is of: the record, as the caller may know of it. */
  find(asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps): Found | Promise<Found>;
  present(found: Found, asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps): unknown;
}

/** A call that shows one record, with its tag. */
export function showing<Query extends z.ZodType, Body extends z.ZodType, Found extends object>(
  plan: ShowPlan<Query, Body, Found>,
): Endpoint {
  const { find, present, ...rest } = plan;
  const perform = async (asked: Asked<z.output<Query>, z.output<Body>>, deps: Deps) => {
    const found = await find(asked, deps);
    return new Tagged(deps.recordTag(found), await present(found, asked, deps));
  };
  return endpoint<Query, Body>({ ...rest, tagged: 'shown', perform });
}

interface StreamPlan<Query extends z.ZodType, Body extends z.ZodType>
  extends Omit<Plan<Query, Body>, 'changes' | 'makes' | 'perform' | 'tagged'> {
  media?: string;
  send(ctx: Context, deps: Deps, asked: Asked<z.output<Query>, z.output<Body>>): Promise<void>;
}

/** A call whose answer comes bit by bit, and in no envelope. */
export function streamed<Query extends z.ZodType, Body extends z.ZodType>(plan: StreamPlan<Query, Body>): Endpoint {
  const { send, operation, ...description } = plan;
  const handler: Handler = async (ctx, deps) => send(ctx, deps, askedOf(ctx, plan, deps));
  return { description, handler };
}

type Questions<Query extends z.ZodType, Body extends z.ZodType> = Pick<
  Plan<Query, Body>,
  'operation' | 'query' | 'body'
>;

function askedOf<Query extends z.ZodType, Body extends z.ZodType>(
  ctx: Context,
  plan: Questions<Query, Body>,
  deps: Deps,
) {
  const { caller, credentials } = ctx.state;
  if (!credentials) throw new ImgapiError('UnauthorizedError', 'the management API needs credentials');
  introduce(ctx, deps);
  if (plan.operation && !mayAsk(caller, plan.operation)) {
    throw new ImgapiError('NotPermitted', refusalOf(plan.operation));
  }
  const query = parse(plan.query, withoutDatacenter(plan.query, withoutCallback(ctx, ctx.query)), 'query');
  const body = parse(plan.body, withoutDatacenter(plan.body, withoutCallback(ctx, ctx.request.body)), 'body');
  // Answers depend on who asks, and some hold secrets.
  ctx.set('Cache-Control', 'no-store');
  return { caller, own: credentials, whileThere: () => whileThere(ctx), params: ctx.params, query, body };
}

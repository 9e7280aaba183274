import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { ImgapiError } from '../../../imgapi/errors.js';
import { type Context, whenEnded } from '../../context.js';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { toldOf, toldOfProgress, written } from '../../model/event.js';
import { sameRights } from '../../model/rights.js';
import { seesTask } from '../../model/task.js';
import type { Grant } from '../../model/token.js';
import { currentCaller, endOf } from '../../operations/current-caller.js';
import { changeAt, eventFor, positionAt } from '../../operations/follow-events.js';
import { lastSeen } from '../../operations/search-audit.js';
import { noBody, streamed } from './endpoint.js';

const wish = z.strictObject({
  after: z.string().max(64).optional().describe('go on behind the event of this id; Last-Event-ID says the same'),
});

type EventStream = ReturnType<Deps['events']['listen']>;

const EVENT_STREAM = 'text/event-stream';

/** A client that is told to wait so long, in milliseconds, before it comes back. */
const RETRY = 1000;

export const follow = streamed({
  name: 'FollowEvents',
  summary:
    'what changes, as server-sent events, to those who may see it. Those with an id can be gone on from; "reset" says that what lies between is not known any more, or that the caller may see something else than before',
  query: wish,
  body: noBody,
  status: 200,
  media: EVENT_STREAM,
  refusals: ['TooManyRequests'],
  send: async (ctx, deps, { caller, own, query }) => {
    const after = query.after ?? (ctx.get('last-event-id') || undefined);
    const { user } = caller;
    if (!user) throw new ImgapiError('NotPermitted', 'events are for users');
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      ctx.set('Content-Type', EVENT_STREAM);
      return;
    }
    const stream = deps.events.listen(user.uuid);
    whenEnded(ctx, () => stream.close());
    try {
      await new Sender(ctx, deps, stream).run(() => currentCaller(deps, user, own), caller, own, after);
    } finally {
      stream.close();
    }
  },
});

/** Whoever may see more, or less, than before has to read all anew: no event tells of what has come into view. */
const areSame = (one: Caller, other: Caller) =>
  one.kind === 'user' && other.kind === 'user' && sameRights(one.rights, other.rights);

/** One stream, from its first word to its end. */
class Sender {
  readonly #res: ServerResponse;

  constructor(
    ctx: Context,
    private readonly deps: Deps,
    private readonly stream: EventStream,
  ) {
    this.#res = ctx.res;
    ctx.respond = false;
    ctx.res.statusCode = 200;
    ctx.res.setHeader('Content-Type', EVENT_STREAM);
    // nginx would gather what we send
    ctx.res.setHeader('X-Accel-Buffering', 'no');
  }

  async run(callerNow: () => Caller | undefined, first: Caller, own: Grant, after: string | undefined): Promise<void> {
    let before = callerNow(); // `first` follows what becomes of it
    let seq = await this.#begin(first, after);
    const { events, now } = this.deps;
    for (;;) {
      while (seq < events.head) {
        const caller = callerNow();
        if (!caller || this.stream.isClosed) return this.#end();
        seq += 1;
        const next = await this.#tell(caller, seq);
        seq = next;
      }
      for (const { task, progress } of this.stream.takeProgress()) {
        const caller = callerNow();
        if (!caller) return this.#end();
        if (seesTask(caller, task)) await this.#send(written('progress', toldOfProgress(task, progress)));
      }
      const end = endOf(this.deps, own);
      const left = end === undefined ? events.limits.keepAlive : Date.parse(end) - now().getTime();
      const asleep = performance.now();
      await this.stream.woken(Math.max(1, Math.min(events.limits.keepAlive, left)));
      const caller = callerNow();
      if (this.stream.isClosed || !caller) return this.#end();
      if (before && !areSame(before, caller)) await this.#send(written('reset', {}));
      before = caller;
      if (performance.now() - asleep >= events.limits.keepAlive) await this.#send(':\n\n');
    }
  }

  /** Where it goes on. */
  async #begin(caller: Caller, after: string | undefined): Promise<number> {
    const { head } = this.deps.events;
    const position = after === undefined ? undefined : await positionAt(this.deps, caller, after);
    const first = `retry: ${RETRY}\n\n`;
    if (position !== undefined) {
      await this.#send(first);
      return position;
    }
    // The last that the caller knows of: whoever is cut off before anything happens can go on from there as well.
    const last = await lastSeen(this.deps, caller);
    await this.#send(first + written(after === undefined ? 'ready' : 'reset', {}, last?.id));
    return head;
  }

  /** Up to where it has been told then. */
  async #tell(caller: Caller, seq: number): Promise<number> {
    const entry = await changeAt(this.deps, seq);
    if (!entry) {
      // sealed while this one was too slow for it
      await this.#send(written('reset', {}));
      return this.deps.events.head;
    }
    const event = await eventFor(this.deps, caller, entry);
    if (!event) return seq;
    const told = toldOf(event);
    // Only the last one has the id: whoever is cut off before it gets them all again.
    await this.#send(
      told.map((one, n) => written('change', one, n === told.length - 1 ? entry.id : undefined)).join(''),
    );
    return seq;
  }

  /** A client that does not take what it is sent is cut off. */
  async #send(text: string): Promise<void> {
    if (this.stream.isClosed || this.#res.write(text)) return;
    const late = AbortSignal.timeout(this.deps.events.limits.patience);
    const gone = new AbortController();
    const onClose = () => gone.abort();
    this.#res.once('close', onClose);
    try {
      await once(this.#res, 'drain', { signal: AbortSignal.any([late, gone.signal]) });
    } catch {
      this.stream.close();
      this.#res.destroy(); // too slow, or gone
    } finally {
      this.#res.off('close', onClose);
    }
  }

  #end(): void {
    if (!this.#res.destroyed) this.#res.end();
  }
}

import type { Middleware } from '../context.js';

/** Middlewares as one, the first outermost; put together once and not for each request. The last one calls no other. */
export function chain(steps: readonly Middleware[]): Middleware {
  return steps.reduceRight((inner, step) => (ctx, next) => step(ctx, () => inner(ctx, next)));
}

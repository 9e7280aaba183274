import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { ImgapiError } from '../../imgapi/errors.js';
import { offered } from '../auth/offer.js';
import type { Middleware } from '../context.js';

const MINUTE = 60;

/**
 * As many requests of one caller as a minute may have. An address that offers as many wrong credentials is not listened
 * to either, so that guessing is limited as well.
 */
export function rateLimit(requestsPerMinute: number): (identify: Middleware) => Middleware {
  if (requestsPerMinute === 0) return (identify) => identify;
  const limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: MINUTE });
  const count = async (key: string) => {
    await limiter.consume(key).catch((spent: RateLimiterRes | Error) => {
      if (spent instanceof Error) throw spent;
      throw tooMany(requestsPerMinute, spent.msBeforeNext);
    });
  };
  return (identify) => async (ctx, next) => {
    const { address } = ctx.state;
    const key = offered(ctx) ? `credentials from ${address}` : address;
    await count(key);
    try {
      await identify(ctx, async () => {});
    } finally {
      // Right ones, though they may not be good for this.
      if (ctx.state.credentials) await limiter.reward(key);
    }
    const { caller } = ctx.state;
    if (caller.kind === 'user') await count(caller.user.uuid);
    if (caller.kind === 'node') await count(`node ${caller.node.name}`);
    await next();
  };
}

function tooMany(limit: number, milliseconds: number): ImgapiError {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return new ImgapiError('TooManyRequests', `more than ${limit} requests in a minute: try again in ${seconds} s`, {
    headers: { 'Retry-After': String(seconds) },
  });
}

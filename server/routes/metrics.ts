import { checkOperator } from '../model/caller.js';
import type { Handler } from './route.js';

/** For whoever reaches the route: on the listener of its own the address is what protects it. */
export const sendMetrics: Handler = async (ctx, { metrics }) => {
  const { contentType, text } = await metrics.scrape();
  ctx.status = 200;
  ctx.set({ 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  ctx.body = text;
};

export const getMetrics: Handler = (ctx, deps) => {
  checkOperator(ctx.state.caller, undefined, 'what the server measures');
  return sendMetrics(ctx, deps);
};

import type { Context } from '../context.js';
import { sendJson } from './reply.js';
import type { Handler } from './route.js';

/** The process answers: whatever is wrong beside that is no reason to start it again. */
export const getHealth: Handler = (ctx) => sendFresh(ctx, { healthy: true });

export const getReadiness: Handler = async (ctx, { readiness, audit }) => {
  const reasons = await readiness.reasons();
  const ready = Object.keys(reasons).length === 0;
  const remarks = { ...(await readiness.remarks()), ...(audit.remark !== undefined && { audit: audit.remark }) };
  const isRemarkable = Object.keys(remarks).length > 0;
  const told = { ready, ...(!ready && { reasons }), ...(isRemarkable && { remarks }) };
  sendFresh(ctx, told, ready ? 200 : 503);
};

function sendFresh(ctx: Context, value: unknown, status = 200): void {
  ctx.set('Cache-Control', 'no-store');
  sendJson(ctx, value, status);
}

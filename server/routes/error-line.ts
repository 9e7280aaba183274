import type { ImgapiError } from '../../imgapi/errors.js';
import type { Context } from '../context.js';

/** Image imports from registries answer with a stream of JSON lines, in which an error is a line too. */
export function sendErrorLine(ctx: Context, subject: Record<string, string>, { code, message }: ImgapiError): void {
  ctx.status = 200;
  ctx.set('Content-Type', 'application/json');
  ctx.body = `${JSON.stringify({ ...subject, type: 'error', error: { code, message } })}\r\n`;
}

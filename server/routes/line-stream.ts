import { randomUUID } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import { StorageDown } from '../../storage/errors.js';
import { type Context, whenEnded } from '../context.js';
import type { Deps } from '../deps.js';
import { type PullLine, type Say, streamsOf } from '../model/pull-line.js';

export interface Streaming {
  /** Names this one. */
  id: string;
  /** Aborted when the client leaves. */
  signal: AbortSignal;
  say: Say;
}

/** Who does not read is told no more of how it goes than fits into so many bytes. */
const UNREAD = 1 << 20;

/**
 * An answer that tells, line by line, how work goes; a failure is a line too. Who leaves ends the work. `subject` is in
 * every line.
 */
export async function streamLines(
  ctx: Context,
  deps: Deps,
  subject: Record<string, string>,
  work: (streaming: Streaming) => Promise<unknown>,
): Promise<void> {
  const { res } = ctx;
  const leaving = new AbortController();
  whenEnded(ctx, () => leaving.abort(new Error('the client left')));
  ctx.respond = false;
  ctx.status = 200;
  res.setHeader('Content-Type', 'application/json');
  // nginx would gather what we send
  res.setHeader('X-Accel-Buffering', 'no');
  const say = (line: PullLine) => {
    if (line.type === 'progress' && res.writableLength > UNREAD) return;
    res.write(`${JSON.stringify({ ...line, ...subject })}\r\n`);
  };
  const { signal } = leaving;
  try {
    await work({ id: `${streamsOf(deps.catalog.members.self.name)}${randomUUID()}`, signal, say });
  } catch (error) {
    if (!signal.aborted) say({ type: 'error', error: refusalOf(ctx, deps, error) });
  }
  res.end();
}

function refusalOf({ state }: Context, { log }: Deps, error: unknown): { code: string; message: string } {
  if (error instanceof ImgapiError) return { code: error.code, message: error.message };
  log.error({ id: state.requestId, err: error }, 'a stream of lines ended early');
  if (error instanceof StorageDown) return { code: 'StorageIsDown', message: 'the storage failed; try again later' };
  return { code: 'InternalError', message: 'the server failed; its log tells why, under this request id' };
}

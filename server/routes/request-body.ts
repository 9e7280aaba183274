import { PassThrough, type Readable } from 'node:stream';
import { ClientLeft, type Context } from '../context.js';

/** The body as a stream of its own: a refusal may end it, while the request stays open for the answer. */
export async function withBody<R>({ req }: Context, use: (body: Readable) => Promise<R>): Promise<R> {
  const body = new PassThrough();
  // Told to whoever reads the body, who may not have begun when the client hangs up.
  body.on('error', () => {});
  const onClose = () => body.destroy(new ClientLeft('the connection was closed before the body had arrived'));
  if (req.destroyed) onClose();
  req.once('close', onClose);
  req.once('end', () => req.off('close', onClose));
  try {
    return await use(req.pipe(body));
  } finally {
    body.destroy();
  }
}

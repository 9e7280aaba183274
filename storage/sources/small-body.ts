import { createHash } from 'node:crypto';
import type { Answer, Exchange } from '../../imgapi/exchange.js';

/** A body that fits into memory, or is not read to its end. */
export async function smallBody(exchange: Exchange, { status, body }: Answer, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > most) throw exchange.answeredBadly(status, `sent more than ${most} bytes where a small document is`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export const sha256Of = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ImgapiError } from '../../imgapi/errors.js';
import { ClientLeft, type Context, type Middleware } from '../context.js';

const MAX_DEPTH = 100;

const decoders = new Map<string, (text: string) => unknown>([
  ['application/json', parseJson],
  ['application/x-www-form-urlencoded', parseForm],
]);

/** Puts the parsed body into `ctx.request.body`; a body of another type, or none, leaves it undefined. */
export function jsonBody(maxBytes: number): Middleware {
  return async (ctx, next) => {
    const decode = decoders.get(ctx.request.type.toLowerCase());
    if (decode) {
      const bytes = await readAll(ctx, maxBytes);
      checkDigest(ctx, bytes);
      const text = toText(ctx.get('content-encoding') === 'gzip' ? await unzip(bytes, maxBytes) : bytes);
      if (text.trim() !== '') ctx.request.body = decode(text);
    }
    await next();
  };
}

async function readAll(ctx: Context, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not `for await`: leaving it early would destroy the request, and with it the connection that the refusal needs.
  await new Promise<void>((resolve, reject) => {
    const finish = (error?: Error) => {
      ctx.req.off('data', onData).off('end', finish).off('error', onClose).off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) finish(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onClose = () => finish(new ClientLeft('the connection was closed before the body had arrived'));
    if (ctx.req.destroyed) return onClose();
    ctx.req.on('data', onData).once('end', finish).once('error', onClose).once('close', onClose);
  });
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number) =>
  new ImgapiError('RequestEntityTooLarge', `the body is larger than the ${maxBytes} bytes allowed`);

function checkDigest(ctx: Context, bytes: Buffer): void {
  const expected = ctx.get('content-md5');
  if (expected && expected !== createHash('md5').update(bytes).digest('base64')) {
    throw new ImgapiError('BadDigest', 'the body does not match its Content-MD5 header');
  }
}

async function unzip(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new ImgapiError('InvalidContent', 'the body is not valid gzip', { cause });
  }
}

function toText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ImgapiError('InvalidContent', 'the body is not valid UTF-8', { cause });
  }
}

function parseJson(text: string): unknown {
  // Whoever walks a value recursively, JSON.stringify among them, must find the bottom.
  if (depthOf(text) > MAX_DEPTH) {
    throw new ImgapiError('InvalidContent', `the body is nested deeper than ${MAX_DEPTH} levels`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ImgapiError('InvalidContent', 'the body is not valid JSON', { cause });
  }
}

function parseForm(text: string): unknown {
  // What curl sends by default.
  if (text.startsWith('{')) {
    throw new ImgapiError('InvalidContent', 'the body looks like JSON: send Content-Type: application/json with it');
  }
  return Object.fromEntries(new URLSearchParams(text));
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (inString) {
      if (char === '\\') i += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ']' || char === '}') depth -= 1;
  }
  return deepest;
}

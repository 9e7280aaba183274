import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Content } from './digests.js';
import type { RemoteFile } from './sources.js';
import { TransferRefused } from './transfer.js';
import { NoUnpacker } from './unpack-head.js';

type Promised = Partial<Omit<Content, 'md5'>>;

/**
 * A file that is packed with zstd, which the clients of image servers can not unpack, as one that is packed with gzip.
 * What was promised of it is held against the bytes as they come; it can only be sent from its beginning.
 */
export function repacked(file: RemoteFile, promised: Promised): RemoteFile {
  return {
    what: file.what,
    open: async (_, signal) => {
      const { body } = await file.open({ from: 0 }, signal);
      const out = new PassThrough();
      repack(body, out, promised, signal).catch((error: Error) => out.destroy(error));
      return { from: 0, body: out };
    },
  };
}

async function repack(body: Readable, out: PassThrough, promised: Promised, signal: AbortSignal): Promise<void> {
  const tool = spawn('zstd', ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve, reject) => {
    tool.once('error', (cause) => reject(new NoUnpacker('zstd is not installed on this server', { cause })));
    tool.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new NoUnpacker('the file is damaged: zstd can not unpack it'));
    });
  });
  ended.catch(() => {}); // told below, or after what failed first
  try {
    const held = pipeline(Readable.from(heldAgainst(promised, body)), tool.stdin, { signal });
    const packed = pipeline(tool.stdout, createGzip({ level: 1 }), out, { signal, end: false });
    await Promise.all([held, packed, ended]);
    out.end();
  } finally {
    tool.kill('SIGKILL');
    body.destroy();
  }
}

async function* heldAgainst(promised: Promised, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hashes: Record<'sha1' | 'sha256', Hash> = { sha1: createHash('sha1'), sha256: createHash('sha256') };
  let size = 0;
  for await (const chunk of body) {
    for (const hash of Object.values(hashes)) hash.update(chunk);
    size += chunk.length;
    yield chunk;
  }
  const found = { size, sha1: hashes.sha1.digest('hex'), sha256: hashes.sha256.digest('hex') };
  for (const field of ['size', 'sha256', 'sha1'] as const) {
    const expected = promised[field];
    if (expected !== undefined && expected !== found[field]) throw new TransferRefused(field, expected, found[field]);
  }
}

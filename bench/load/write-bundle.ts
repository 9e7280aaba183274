import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bundle } from '../../storage/bundle.js';
import { LentReadable } from '../../storage/lent-readable.js';
import { openBlobs } from '../../storage/open.js';

/**
 * A bundle to standard output, without a server in between.
 *
 *   node write-bundle.js DIRECTORY KEY SIZE
 */
const [, , directory = '', key = '', size = '0'] = process.argv;
const blobs = await openBlobs({ kind: 'filesystem', directory });
const uuid = '00000000-0000-4000-8000-000000000001';
const { read } = bundle(blobs, [{ uuid, manifest: { uuid }, file: { key, size: Number(size), sha256: key } }]);
const source: Readable = new LentReadable(read());
await pipeline(source, process.stdout);

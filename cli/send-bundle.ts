import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { isRecord } from '../imgapi/checks.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { DASH, interruptible, sizeOf, standardInput } from './input.js';
import type { Management } from './management.js';
import { withProgress } from './progress.js';
import { columnsOf, type Fields, printRows, type Shown } from './table.js';

export interface BundleOptions extends Shown {
  dc?: string | undefined;
  /** Of the numbers that images have. */
  access?: string | undefined;
  shared?: boolean | undefined;
  quiet?: true | undefined;
}

const CHUNK = 1 << 20;

/** A bundle that "slipway export" wrote, from a file or standard input, and what has become of each image in it. */
export async function sendBundle(
  file: string,
  { dc, access, shared, quiet, ...shown }: BundleOptions,
  management: Management,
  context: Pick<Context, 'io' | 'signal'>,
): Promise<void> {
  const { io, signal } = context;
  const total = file === DASH ? undefined : await sizeOf(file);
  const source = file === DASH ? standardInput(context) : createReadStream(file, { highWaterMark: CHUNK, signal });
  const query = {
    ...(dc !== undefined && { dc }),
    ...(access !== undefined && { access }),
    ...(shared && { dc_bound: 'false' }),
  };
  const label = file === DASH ? 'standard input' : file;
  const { result } = await withProgress(io, { label, total, quiet }, (advance) => {
    const chunks = async function* () {
      for await (const chunk of interruptible(source, signal)) {
        advance(chunk.length);
        yield chunk;
      }
    };
    const upload = Readable.from(chunks(), { objectMode: false });
    const headers = {
      'content-type': 'application/x-tar',
      ...(total !== undefined && { 'content-length': String(total) }),
    };
    return management.ask('POST', '/api/bundle', { query, headers, upload });
  });
  const rows = (Array.isArray(result) ? result : []).filter((row): row is Fields => isRecord(row));
  await printRows(io, columnsOf(['image', 'name', 'status', 'detail']), rows, shown);
  const refused = rows.filter(({ status }) => status === 'refused').length;
  if (refused > 0) throw new CliError(`${refused} of ${rows.length} images were refused`);
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { isRecord } from '../imgapi/checks.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { DASH, interruptible, sizeOf, standardInput } from './input.js';
import type { Management } from './management.js';
import { withProgress } from './progress.js';
import { columnsOf, type Fields, printRows, type Shown } from './table.js';

/** Is it something that could be one: standard input, or a file that is there? */
export async function isBundle(what: string): Promise<boolean> {
  if (what === DASH) return true;
  try {
    return (await stat(what)).isFile();
  } catch {
    return false; // that it is not there is told with all that it could be
  }
}

const CHUNK = 1 << 20;

/** A bundle that "slipway export" wrote, from a file or standard input, and what has become of each image in it. */
export async function sendBundle(
  file: string,
  query: Readonly<Record<string, string>>,
  shown: Shown,
  management: Management,
  context: Pick<Context, 'io' | 'signal'>,
): Promise<void> {
  const { io, signal } = context;
  const total = file === DASH ? undefined : await sizeOf(file);
  const source = file === DASH ? standardInput(context) : createReadStream(file, { highWaterMark: CHUNK, signal });
  const label = file === DASH ? 'standard input' : file;
  const { result } = await withProgress(io, { label, total }, (advance) => {
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

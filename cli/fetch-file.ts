import type { ImgapiClient } from '../imgapi/client.js';
import type { Answer } from '../imgapi/exchange.js';
import { Unreachable } from '../imgapi/exchange-errors.js';
import { CliError, exits } from './errors.js';
import { pause } from './pause.js';

/** The file of an image, as its manifest describes it. */
export interface Wanted {
  uuid: string;
  sha1: string;
  size: number;
  channel?: string | undefined;
  /** From the store that has the bytes, where the server sends us there. */
  redirect?: boolean | undefined;
}

/** What the server sends is not what its manifest says. */
export class Damaged extends CliError {
  constructor(what: string) {
    super(what, { exit: exits.serverFailed, hint: 'the file is damaged on the server or on the way' });
  }
}

/** How long to wait, in milliseconds, before each try in a row that brings nothing. */
const PAUSES = [0, 250, 1000, 3000];

/** The bytes of the file from this one on. A connection that is cut is made again, and goes on where it was. */
export async function* fetchFile(
  client: ImgapiClient,
  wanted: Wanted,
  from: number,
  { signal, again }: { signal: AbortSignal; again(error: Unreachable): void },
): AsyncGenerator<Buffer, void, undefined> {
  let at = from;
  let fruitless = 0;
  while (at < wanted.size) {
    const before = at;
    try {
      for await (const chunk of rest(client, wanted, at, signal)) {
        at += chunk.length;
        yield chunk;
      }
    } catch (error) {
      fruitless = at > before ? 0 : fruitless + 1;
      const milliseconds = PAUSES[fruitless];
      if (!(error instanceof Unreachable) || milliseconds === undefined) throw error;
      again(error);
      await pause(milliseconds, signal);
    }
  }
}

async function* rest(
  client: ImgapiClient,
  { uuid, sha1, size, channel, redirect }: Wanted,
  at: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const part = at > 0 ? { range: { start: at }, ifRange: `"${sha1}"` } : {};
  const answer = await client.getImageFile(uuid, { ...part, channel, redirect, signal });
  let skip = at - startOf(answer);
  let left = size - at;
  // also where the server does not say which part it is
  if (!(skip >= 0)) {
    answer.body.destroy();
    throw new Damaged(`the server sends another part of the file than the one from byte ${at} on`);
  }
  for await (const chunk of answer.body) {
    const fresh = chunk.subarray(skip);
    skip -= chunk.length - fresh.length;
    left -= fresh.length;
    if (left < 0) throw new Damaged(`the server sends more than the ${size} bytes that the manifest tells of`);
    if (fresh.length > 0) yield fresh;
  }
  if (left > 0 && !isFramed(answer)) throw client.exchange.endedEarly();
  if (left > 0) throw new Damaged(`the server sends ${size - left} of the ${size} bytes that the manifest tells of`);
}

/** Without these the end of a body and a cut look the same. */
const isFramed = ({ headers }: Answer) => 'content-length' in headers || 'transfer-encoding' in headers;

/** Servers that know no ranges begin anew; what is there already is passed over. */
function startOf({ status, headers }: Answer): number {
  if (status !== 206) return 0;
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? Number.NaN);
}

import { Readable } from 'node:stream';
import { isRecord } from '../imgapi/checks.js';
import { type ErrorCode, ImgapiError } from '../imgapi/errors.js';
import type { Answer, Call, Exchange } from '../imgapi/exchange.js';
import { AnsweredBadly, Unreachable } from '../imgapi/exchange-errors.js';
import type { Compression } from '../imgapi/image.js';
import { CliError } from './errors.js';
import { pause } from './pause.js';
import type { Advance } from './progress.js';
import type { Source } from './upload-source.js';

/** A file, and what it is for. */
export interface Whole {
  image: string;
  size: number;
  sha1: string;
  sha256: string;
  compression: Compression;
  datasetGuid?: string | undefined;
}

interface Means {
  signal: AbortSignal;
  advance: Advance;
  /** Told of what has broken the connection, each time before it is made again. */
  again(error: unknown): void;
}

const UPLOADS = '/api/upload';
const VERSION = '1.0.0';
const PART = 'application/offset+octet-stream';

/** Other servers, and callers that are not known to this one, have no way to send a file in parts. */
export async function takesParts(exchange: Exchange, signal: AbortSignal): Promise<boolean> {
  try {
    const { headers } = await drained(exchange.send('OPTIONS', UPLOADS, { signal }));
    return headers['tus-version']?.split(',').includes(VERSION) ?? false;
  } catch (error) {
    if (error instanceof ImgapiError && !(error instanceof Unreachable)) return false;
    throw error;
  }
}

/**
 * Sends a file to an image, over as many connections as it takes. What an earlier run has sent of it is not sent again;
 * what this one has sent stays for a later one.
 */
export async function sendInParts(exchange: Exchange, whole: Whole, source: Source, means: Means): Promise<void> {
  const { signal, again } = means;
  const patience = new Patience();
  const counter = new Counter(means.advance);
  let id: string | undefined;
  let sent: number | undefined;
  for (;;) {
    try {
      if (id === undefined)
        ({ id, offset: sent } = (await begunBefore(exchange, whole, signal)) ?? (await begin(exchange, whole, signal)));
      sent ??= await offsetOf(exchange, id, signal);
      counter.set(sent);
      patience.reached(sent);
      if (sent === whole.size) return;
      sent = await sendFrom(exchange, id, sent, { whole, source, signal, counter });
    } catch (error) {
      if (!isPassing(error)) throw error;
      again(error);
      await patience.wait(signal, error);
      sent = undefined;
    }
  }
}

/** Nothing of it is left then. */
export async function endUpload(exchange: Exchange, id: string, signal: AbortSignal): Promise<void> {
  await drained(exchange.send('DELETE', `${UPLOADS}/${encodeURIComponent(id)}`, spoken({ signal })));
}

interface Begun {
  id: string;
  offset: number;
}

/** By this user, for the same file; the one that has come farthest. */
async function begunBefore(exchange: Exchange, whole: Whole, signal: AbortSignal): Promise<Begun | undefined> {
  const { image, size, sha256, compression, datasetGuid = null } = whole;
  const answer = await exchange.json('GET', UPLOADS, { query: { image }, signal });
  const listed: unknown[] = isRecord(answer) && Array.isArray(answer.result) ? answer.result : [];
  const fitting = listed
    .filter(isRecord)
    .filter(
      (one) =>
        one.status !== 'attached' &&
        one.image === image &&
        one.size === size &&
        one.sha256 === sha256 &&
        one.compression === compression &&
        one.dataset_guid === datasetGuid,
    );
  const [best] = fitting.sort((a, b) => Number(b.offset) - Number(a.offset));
  if (!best) return undefined;
  const id = String(best.id);
  // where it stands is asked for once more: who asks so ends what may still hang there
  const offset = await offsetOf(exchange, id, signal).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
  });
  return offset === undefined ? undefined : { id, offset };
}

async function begin(exchange: Exchange, whole: Whole, signal: AbortSignal): Promise<Begun> {
  const { image, size, sha1, sha256, compression, datasetGuid } = whole;
  const told = { image, sha256, sha1, compression, ...(datasetGuid !== undefined && { dataset_guid: datasetGuid }) };
  const headers = { 'upload-length': String(size), 'upload-metadata': metadataOf(told) };
  const answer = await drained(exchange.send('POST', UPLOADS, spoken({ headers, signal })));
  const id = answer.headers.location?.split('/').at(-1);
  if (!id) throw exchange.answeredBadly(answer.status, 'does not say where the upload is');
  return { id, offset: 0 };
}

const metadataOf = (told: Record<string, string>) =>
  Object.entries(told)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

async function offsetOf(exchange: Exchange, id: string, signal: AbortSignal): Promise<number> {
  try {
    return offsetIn(exchange, await drained(exchange.send('HEAD', `${UPLOADS}/${id}`, spoken({ signal }))));
  } catch (cause) {
    if (!(cause instanceof AnsweredBadly) || ![400, 404, 410].includes(cause.answered)) throw cause;
    throw new CliError('the server has thrown away what was sent', { hint: 'upload it once more', cause });
  }
}

interface Sending {
  whole: Whole;
  source: Source;
  signal: AbortSignal;
  counter: Counter;
}

/** All that is not there yet. How far it is then. */
async function sendFrom(
  exchange: Exchange,
  id: string,
  from: number,
  { whole, source, signal, counter }: Sending,
): Promise<number> {
  const chunks = async function* () {
    for await (const chunk of source.read(from)) {
      counter.set(counter.bytes + chunk.length);
      yield chunk;
    }
  };
  const headers = {
    'content-type': PART,
    'content-length': String(whole.size - from),
    'upload-offset': String(from),
  };
  const upload = Readable.from(chunks(), { objectMode: false });
  const answer = await drained(exchange.send('PATCH', `${UPLOADS}/${id}`, spoken({ headers, upload, signal })));
  return offsetIn(exchange, answer);
}

const spoken = ({ headers, ...call }: Call): Call => ({ ...call, headers: { 'tus-resumable': VERSION, ...headers } });

function offsetIn(exchange: Exchange, { status, headers }: Answer): number {
  const offset = headers['upload-offset'];
  if (offset !== undefined && /^\d+$/.test(offset)) return Number(offset);
  throw exchange.answeredBadly(status, 'does not say how much of the upload it has');
}

async function drained(asking: Promise<Answer>): Promise<Answer> {
  const answer = await asking;
  for await (const _ of answer.body);
  return answer;
}

/** What of a file has been sent, as far as it is known to have come. */
class Counter {
  bytes = 0;

  constructor(private readonly advance: Advance) {}

  set(bytes: number): void {
    this.advance(bytes - this.bytes);
    this.bytes = bytes;
  }
}

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;

/** In milliseconds: how long to go on trying without a byte that comes through, at least and at most. */
const LEAST = 30_000;
const MOST = 600_000;

/** The longer it has worked, the longer it is waited for. */
class Patience {
  readonly #begun = performance.now();
  #farthest = 0;
  #pause = FIRST_PAUSE;
  #waited = 0;

  reached(bytes: number): void {
    if (bytes <= this.#farthest) return;
    this.#farthest = bytes;
    this.#pause = FIRST_PAUSE;
    this.#waited = 0;
  }

  async wait(signal: AbortSignal, error: unknown): Promise<void> {
    const worked = performance.now() - this.#begun - this.#waited;
    if (this.#waited + this.#pause > Math.min(MOST, Math.max(LEAST, worked))) throw error;
    await pause(this.#pause, signal);
    this.#waited += this.#pause;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }
}

const passingCodes: ReadonlySet<ErrorCode> = new Set([
  'Busy',
  'OffsetMismatch',
  'StorageIsDown',
  'ServiceUnavailableError',
  'TooManyRequests',
]);

/** By the status of answers that have nothing to say, or come from something on the way. */
const passingStatuses: ReadonlySet<number> = new Set([408, 409, 423, 429, 502, 503, 504]);

function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (error instanceof AnsweredBadly) return passingStatuses.has(error.answered);
  return error instanceof ImgapiError && passingCodes.has(error.code);
}

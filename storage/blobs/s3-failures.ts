import { setTimeout as pause } from 'node:timers/promises';

/** What an S3 store, or the way to it, said when a request failed. */
export interface Failure extends Error {
  /** Its code: NoSuchKey, SlowDown … */
  name: string;
  $metadata?: { httpStatusCode?: number };
}

export interface Patience {
  /** Milliseconds to wait before each further try. */
  pauses: readonly number[];
  /** Milliseconds after which no answer is one. */
  answer: number;
  /** Milliseconds in which a byte must come, or go. */
  idle: number;
}

export const PATIENCE: Patience = { pauses: [150, 600, 2000], answer: 10_000, idle: 10_000 };

/** The store is out of breath, or says that it does not know what became of a request. */
const passingStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Refusals that are none: of a request that came too slowly, or from a clock that the SDK sets right by the answer. */
const passingNames: ReadonlySet<string> = new Set([
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'SlowDown',
  'InternalError',
]);

/** Nobody is let in with such credentials, however often they are shown. */
const credentials: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'Forbidden',
  'ExpiredToken',
  'InvalidToken',
]);

export const statusOf = (error: unknown): number | undefined => (error as Failure).$metadata?.httpStatusCode;

export const isAbsent = (error: unknown): boolean => statusOf(error) === 404;

/** Whether it may go well the next time. Without an answer there was a connection that broke, or none. */
export function isPassing(error: unknown): boolean {
  const { name } = error as Failure;
  if (name === 'AbortError' || name === 'CredentialsProviderError' || error instanceof TypeError) return false;
  const status = statusOf(error);
  return status === undefined || passingStatuses.has(status) || passingNames.has(name);
}

/** As people are told it. */
export function told(error: unknown): Error {
  const { name, message } = error as Failure;
  const status = statusOf(error);
  const said = `${name}${status === undefined ? '' : ` (${status})`}${message && message !== name ? `: ${message}` : ''}`;
  if (name === 'CredentialsProviderError') {
    return new Error(`there are no credentials for the store: ${message}`, { cause: error });
  }
  if (credentials.has(name)) return new Error(`the store does not accept our credentials: ${said}`, { cause: error });
  if (status === undefined) return error as Error;
  return new Error(`the store answered ${said}`, { cause: error });
}

/** As often as it takes, within what patience there is. A try that is not answered in time is a failure like others. */
export async function tried<R>(
  work: (signal: AbortSignal) => Promise<R>,
  { pauses, answer }: Patience,
  { signal, bytes = 0 }: { signal?: AbortSignal | undefined; bytes?: number } = {},
): Promise<R> {
  // what is sent takes its time
  const within = answer + bytes / 512;
  const began = performance.now();
  for (let again = 0; ; again += 1) {
    signal?.throwIfAborted();
    const watch = new AbortController();
    const give = () => watch.abort();
    const timer = setTimeout(give, within);
    signal?.addEventListener('abort', give, { once: true });
    try {
      return await work(watch.signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      const failure = watch.signal.aborted ? new Error(`no answer within ${Math.round(within)} ms`) : error;
      const wait = pauses[again];
      // where nobody answers, somebody waits all the same
      const isLate = watch.signal.aborted && performance.now() - began > within * 1.5;
      if (wait === undefined || isLate || !isPassing(failure)) throw failure;
      await pause(wait * (0.75 + Math.random() / 2), undefined, { ...(signal && { signal }) });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', give);
    }
  }
}

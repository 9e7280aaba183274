import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StorageDown } from '../storage/errors.js';
import { OperatorMistake } from './model/operator-mistake.js';
import { untilSignal } from './signals.js';

/** In milliseconds. */
const EVERY = 1000;

const CREDENTIALS = 'look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or at ~/.aws';

/** What waiting does not mend, by the codes of PostgreSQL and the names of S3, and what to do then. */
const hints: Record<string, string> = {
  '28P01': 'the password is not the right one: look at the setting database',
  '28000': 'this user may not come in: look at the setting database, and at pg_hba.conf',
  '3D000': 'create it first, with "createdb"',
  '42501': 'the user of the setting database may not do this: it should own the database',
  NoSuchBucket: 'create it first, or look at the setting store',
  NotFound: 'create it first, or look at the setting store',
  CredentialsProviderError: CREDENTIALS,
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  AccessDenied: 'these credentials must be allowed to list, read, write and delete in the bucket',
};

/** Opens what may not be there yet: machines of a site start in any order. The log is told whenever the reason changes. */
export function onceThere<T extends { close(): Promise<void> }>(
  what: string,
  open: () => Promise<T>,
  log: Logger,
): Promise<T> {
  const lastWords = `Stopped while waiting for ${what}.`;
  return untilSignal(async (signal) => {
    let told = '';
    for (;;) {
      try {
        const opened = await open();
        if (!signal.aborted) return opened;
        await opened.close();
      } catch (error) {
        if (!(error instanceof StorageDown)) throw error;
        const hint = hints[codeOf(error)];
        if (hint !== undefined) throw new OperatorMistake(`${error.message}: ${hint}`, { cause: error });
        if (error.message !== told) log.warn({ reason: error.message }, `waiting for ${what}`);
        told = error.message;
      }
      signal.throwIfAborted();
      await setTimeout(EVERY, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }, lastWords);
}

/** Of the innermost error. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.cause !== undefined) return codeOf(error.cause);
  return 'code' in error ? String(error.code) : error.name;
}

import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StorageDown } from '../storage/errors.js';
import { OperatorMistake } from './model/operator-mistake.js';
import { untilSignal } from './signals.js';

/** In milliseconds. */
const EVERY = 1000;

/** What waiting does not mend, by the codes of PostgreSQL, and what to do then. */
const hints: Record<string, string> = {
  '28P01': 'the password is not the right one: look at the setting database',
  '28000': 'this user may not come in: look at the setting database, and at pg_hba.conf',
  '3D000': 'create it first, with "createdb"',
  '42501': 'the user of the setting database may not do this: it should own the database',
};

/** Opens what may not be there yet: machines of a site start in any order. The log is told whenever the reason changes. */
export function onceThere<T>(what: string, open: () => Promise<T>, log: Logger): Promise<T> {
  const lastWords = `Stopped while waiting for ${what}.`;
  return untilSignal(async (signal) => {
    let told = '';
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!(error instanceof StorageDown)) throw error;
        const hint = hints[codeOf(error)];
        if (hint !== undefined) throw new OperatorMistake(`${error.message}: ${hint}`, { cause: error });
        if (error.message !== told) log.warn({ reason: error.message }, `waiting for ${what}`);
        told = error.message;
      }
      await setTimeout(EVERY, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }, lastWords);
}

function codeOf({ cause }: Error): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

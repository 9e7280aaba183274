import { isatty } from 'node:tty';
import type { Logger } from 'pino';

/** What can be read again while the daemon runs. */
export type Reloads = (() => Promise<unknown>)[];

/**
 * SIGHUP reads again what can be read again, in turn and never twice at once. A terminal that closes sends it too: what
 * was started in one ends with it, as every program does.
 */
export function reloadOnHangup(reloads: Readonly<Reloads>, log: Logger): void {
  if (isatty(0) || isatty(1)) return;
  const reloadAll = async () => {
    log.info('SIGHUP: reading keys and certificates again');
    for (const reload of reloads) await reload().catch((err: unknown) => log.error({ err }, 'reading again failed'));
  };
  let running = Promise.resolve();
  let isNextAsked = false;
  process.on('SIGHUP', () => {
    // One that has not begun yet finds all that those after it would.
    if (isNextAsked) return;
    isNextAsked = true;
    running = running.then(() => {
      isNextAsked = false;
      return reloadAll();
    });
  });
}

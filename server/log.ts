import pino, { type Logger } from 'pino';
import { remembering } from '../imgapi/remembering.js';

/** JSON lines on standard error; standard output is for what is said to a person. */
export function createLog(level: string): Logger {
  return pino({ level, base: undefined, timestamp: () => timeAt(Date.now()) }, standardError());
}

/** As pino writes it; the lines of one millisecond share it. */
const timeAt = remembering(
  (now: number) => `,"time":"${new Date(now).toISOString()}"`,
  1,
  () => 1,
);

/** What waits to be written; more is lost. */
const MOST_WAITING = 1 << 20;

/** A log that can not be written, on a disk that is full, is no reason to stop serving, nor to hold up a stop. */
function standardError() {
  const out = pino.destination({ dest: 2, sync: false, maxLength: MOST_WAITING });
  let failing = false;
  out.on('error', () => {
    failing = true;
  });
  out.on('write', () => {
    failing = false;
  });
  const flushSync = out.flushSync.bind(out);
  // pino calls it at the end of the process, and it tries until it succeeds
  out.flushSync = () => {
    if (!failing) flushSync();
  };
  return out;
}

import pino, { type Logger } from 'pino';

/** JSON lines on standard error; standard output is for what is said to a person. */
export function createLog(level: string): Logger {
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: false }),
  );
}

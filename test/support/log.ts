import { type Logger, pino } from 'pino';
import type { LogLine } from './daemon.js';

/** A log that is kept, line by line. */
export function keptLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  return { lines, log: pino({ level: 'debug' }, { write: (text: string) => void lines.push(JSON.parse(text)) }) };
}

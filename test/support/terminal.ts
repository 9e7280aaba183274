import { PassThrough } from 'node:stream';
import type { Io } from '../../cli/command.js';

export interface Terminal {
  io: Io;
  /** What was written so far, and to where. */
  out(): string;
  err(): string;
  /** Resolves as soon as this was asked. */
  asked(question: string): Promise<void>;
  /** Types a line as soon as this was asked. */
  answer(question: string, line: string): Promise<void>;
  /** Sends what a key sends. */
  press(key: string): void;
}

/** Somebody at a terminal. */
export function terminal(): Terminal {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 100, hasColors: () => true });
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 100, hasColors: () => true });
  const written = { out: '', err: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => {
    written.out += text;
  });
  stderr.setEncoding('utf8').on('data', (text: string) => {
    written.err += text;
  });
  const asked = (question: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!written.err.includes(question)) return;
        stderr.off('data', look);
        resolve();
      };
      stderr.on('data', look);
      look();
    });
  return {
    io: { stdin, stdout, stderr },
    out: () => written.out,
    err: () => written.err,
    press: (key) => stdin.write(key),
    asked,
    answer: async (question, line) => {
      await asked(question);
      stdin.write(`${line}\n`);
    },
  };
}

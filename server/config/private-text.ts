import { readFileSync, statSync } from 'node:fs';
import { reasonOf } from './reason-of.js';

const VARIABLE = /^env:(.+)$/;

/** What has no place in a configuration: in a file that only the daemon can read, or in the variable that env:NAME names. */
export function privateText(value: string, env: Readonly<Record<string, string | undefined>>): string {
  const [, variable] = VARIABLE.exec(value) ?? [];
  const text = (variable === undefined ? fileText(value) : (env[variable] ?? '')).trim();
  if (text !== '') return text;
  throw new Error(variable === undefined ? `"${value}" is empty` : `the variable ${variable} is not set`);
}

function fileText(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) === 0) return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`can not read "${path}": ${reasonOf(error)}`, { cause: error });
  }
  throw new Error(`others can read "${path}": "chmod 600" it, and think of who has`);
}

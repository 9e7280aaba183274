import type { Context } from './command.js';
import { CliError } from './errors.js';
import { readInput } from './input.js';

const MAX_FILE = 1024 ** 2;

const constants = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** A value as it is typed: true, false and null in whatever case, `json::…`, `file::PATH`; all else is text. */
export async function literal(text: string, context: Pick<Context, 'io' | 'signal'>): Promise<unknown> {
  const lower = text.toLowerCase();
  if (constants.has(lower)) return constants.get(lower);
  if (text.startsWith('json::')) return parsed(text.slice('json::'.length));
  if (text.startsWith('file::')) return String(await readInput(text.slice('file::'.length), MAX_FILE, context));
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError(`"json::${text}" is no JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

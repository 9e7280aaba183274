import { isRecord } from '../imgapi/checks.js';
import { CliError } from './errors.js';

/** Objects that stand on a line each; a line that is none is refused by its number. */
export async function* jsonLines(label: string, bytes: AsyncIterable<Buffer>) {
  let number = 0;
  for await (const line of linesOf(bytes)) {
    number += 1;
    if (line.trim() !== '') yield objectIn(line, `line ${number} of ${label}`);
  }
}

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

function objectIn(line: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new CliError(`${where} holds no JSON: was it cut off?`, { cause });
  }
  throw new CliError(`${where} holds no JSON object`);
}

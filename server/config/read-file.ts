import { readFileSync } from 'node:fs';
import { parse as parseToml, TomlError } from 'smol-toml';
import { didYouMean } from '../../imgapi/nearest.js';
import { keysTwice } from './keys-twice.js';
import { reasonOf } from './reason-of.js';
import { isReferenceForm, readReferenceForm } from './reference-form.js';
import { isKey, keys } from './settings.js';
import type { Source } from './source.js';

/** What the mode will be whatever the file says, if a flag or a variable says so. */
type Overridden = { mode?: unknown };

export function readFile(path: string, overridden: Overridden = {}): Source {
  const refused = (problem: string): Source => ({ found: new Map(), problems: [problem], warnings: [] });
  let content: string;
  try {
    content = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    return refused(`can not read the configuration file "${path}": ${reasonOf(error)}`);
  }
  if (content.trim() === '') return refused(`${path} is empty: write settings into it, or start without it`);
  const isJson = /^\s*[{]/.test(content);
  let values: Record<string, unknown>;
  try {
    values = isJson ? JSON.parse(content) : parseToml(content);
  } catch (error) {
    return refused(`${path} is not valid ${isJson ? 'JSON' : 'TOML'}: ${whereIn(content, error)}`);
  }
  if (isJson && isReferenceForm(path, values)) return readReferenceForm(path, values, overridden);
  const twice = isJson ? keysTwice(content) : [];
  return {
    found: new Map(Object.entries(values).map(([key, value]) => [key, { value, at: `${key} in ${path}` }])),
    problems: [
      ...twice.map((key) => `${key} in ${path} is there twice`),
      ...Object.keys(values)
        .filter((key) => !isKey(key))
        .map(
          (key) =>
            `there is no setting ${key}, as in ${path}${didYouMean(key, keys) || '; --help lists all there are'}`,
        ),
    ],
    warnings: [],
  };
}

/** Says where, and never quotes: a configuration of the reference server has passwords in it. */
function whereIn(content: string, error: unknown): string {
  const { message } = error as Error;
  if (error instanceof TomlError) {
    const [what = ''] = message.replace('Invalid TOML document: ', '').split('\n');
    return `${what} in line ${error.line}, column ${error.column}`;
  }
  const [, what = message, position] = /^(.*?) (?:in JSON )?at position (\d+)/.exec(message) ?? [];
  if (position === undefined) return message.replace(/, (\.\.\.)?".*$/s, '');
  const before = content.slice(0, Number(position)).split('\n');
  return `${what} in line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

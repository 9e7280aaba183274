import { parseArgs } from 'node:util';
import { didYouMean } from '../../imgapi/nearest.js';
import { flagOf } from './names.js';
import { isKey, keys, settings } from './settings.js';
import type { Source } from './source.js';
import { type Start, startOptions } from './start-options.js';

const isStart = (name: string): name is keyof typeof startOptions => Object.hasOwn(startOptions, name);

const names = [...keys, ...Object.keys(startOptions)];
const flags = names.map(flagOf);

/** Flags are known as `--tls-port` and as `--tlsPort`. */
const nameOf = new Map(names.flatMap((name) => [`--${name}`, flagOf(name)].map((flag) => [flag, name] as const)));

const isSwitch = (name: string) =>
  isKey(name) ? typeof settings[name].default === 'boolean' : isStart(name) && !startOptions[name].value;

const options = Object.fromEntries(
  [...nameOf].map(([flag, name]) => [flag.slice(2), { type: isSwitch(name) ? 'boolean' : 'string' } as const]),
);

export interface Flags extends Source {
  start: Start;
}

/** Of a flag that is given twice the last counts. */
export function readFlags(argv: readonly string[]): Flags {
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, { value: string | undefined; at: string }>();
  const problems: string[] = [];
  let unknown = Number.NaN;
  for (const token of tokens) {
    if (token.kind === 'option') {
      const { rawName: at, value, inlineValue } = token;
      const name = nameOf.get(at);
      const isOfTheNext = value?.startsWith('--') && !inlineValue;
      if (name === undefined) {
        unknown = token.index;
        problems.push(`there is no flag ${at}${didYouMean(at, flags, '--') || '; --help lists all there are'}`);
      } else if (!isSwitch(name) && (value === undefined || isOfTheNext)) problems.push(`${at}: a value is missing`);
      else if (isSwitch(name) && !isKey(name) && value !== undefined) problems.push(`${at}: it takes no value`);
      else given.set(name, { value, at });
    } else if (token.kind === 'positional' && token.index !== unknown + 1) {
      problems.push(`"${token.value}" belongs to no flag; --help lists all there are`);
    }
  }
  const ofSettings = [...given].filter(([name]) => isKey(name));
  return {
    found: new Map(ofSettings.map(([name, { value = 'true', at }]) => [name, { value, at }])),
    start: {
      config: given.get('config')?.value,
      checkConfig: given.has('checkConfig'),
      takeover: given.get('takeover')?.value,
      fillChannel: given.get('fillChannel')?.value,
      restore: given.get('restore')?.value,
      restorePassphrase: given.get('restorePassphrase')?.value,
      newSecretsKey: given.get('newSecretsKey')?.value,
      abortMigration: given.has('abortMigration'),
    },
    problems,
    warnings: [],
  };
}

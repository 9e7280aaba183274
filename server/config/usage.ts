import { flagOf } from './names.js';
import { groups, keysOf, settings } from './settings.js';
import { startOptions } from './start-options.js';
import { wrap } from './wrap.js';

const WIDTH = 100;
const MEANING_AT = 28;

/** What --help says. */
export function usage(): string {
  const start = Object.entries(startOptions).map(([name, { meaning, value = '' }]) =>
    entry(`${flagOf(name)} ${value}`.trim(), meaning),
  );
  const sections = Object.keys(groups).map((group) => {
    const entries = keysOf(group as keyof typeof groups).map((key) =>
      entry(flagOf(key), `${settings[key].meaning}${defaultOf(settings[key].default)}`),
    );
    return [`${groups[group as keyof typeof groups]}:`, ...entries].join('\n');
  });
  return [
    'usage: slipwayd [--config FILE] [--SETTING VALUE]…',
    start.join('\n'),
    ...sections,
    'A flag --tls-port is tlsPort in the file, and SLIPWAY_TLS_PORT in the environment.\nFlags win over the environment, the environment over the file.',
  ].join('\n\n');
}

function defaultOf(value: unknown): string {
  return value === undefined || value === false || typeof value === 'object' ? '' : ` (${value})`;
}

function entry(name: string, meaning: string): string {
  const [first = '', ...others] = wrap(meaning, WIDTH - MEANING_AT);
  return [`  ${name}`.padEnd(MEANING_AT) + first, ...others.map((line) => ' '.repeat(MEANING_AT) + line)].join('\n');
}

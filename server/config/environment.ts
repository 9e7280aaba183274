import { didYouMean } from '../../imgapi/nearest.js';
import { variableOf } from './names.js';
import { keys } from './settings.js';
import type { Source } from './source.js';

const PREFIX = 'SLIPWAY_';

export const CONFIG_VARIABLE = variableOf('config');

/** The command line client reads these: whoever sets them for it may start a daemon from the same shell. */
const ofTheClient = ['SLIPWAY_URL', 'SLIPWAY_SERVER', 'SLIPWAY_TOKEN', 'SLIPWAY_USER', 'SLIPWAY_KEY', 'SLIPWAY_CA'];

const variables = new Map(keys.map((key) => [variableOf(key), key]));

export function readEnvironment(env: NodeJS.ProcessEnv): Source {
  const others = new Set([CONFIG_VARIABLE, ...ofTheClient]);
  const ours = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !others.has(name));
  const unknown = ours.filter((name) => !variables.has(name));
  return {
    found: new Map(
      [...variables].flatMap(([name, key]) => (env[name] === undefined ? [] : [[key, { value: env[name], at: name }]])),
    ),
    problems: unknown.map(
      (name) =>
        `there is no variable ${name}${didYouMean(name, [...variables.keys()], PREFIX) || '; --help lists all there are'}`,
    ),
    warnings: [],
  };
}

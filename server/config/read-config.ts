import { resolve } from 'node:path';
import { OperatorMistake } from '../model/operator-mistake.js';
import { checkFiles } from './check-files.js';
import { checkSettings } from './check-settings.js';
import { CONFIG_VARIABLE, readEnvironment } from './environment.js';
import { readFlags } from './flags.js';
import { readFile } from './read-file.js';
import { type Key, keys, type Settings, settings } from './settings.js';
import type { Found, Source } from './source.js';
import type { Start } from './start-options.js';

/** All that is wrong with a configuration, at once. */
export class ConfigError extends OperatorMistake {
  override name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    const [first = '', ...others] = problems;
    super(others.length === 0 ? first : [`${problems.length} problems:`, ...problems].join('\n  '));
  }
}

export interface Config {
  settings: Settings;
  /** What was found of each setting, and where; the others have their defaults. */
  found: ReadonlyMap<Key, Found>;
  start: Start;
  warnings: readonly string[];
}

/** Flags win over the environment, the environment over the file, the file over the defaults. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Config {
  const flags = readFlags(argv);
  const environment = readEnvironment(env);
  const file = flags.start.config ?? env[CONFIG_VARIABLE];
  const mode = (flags.found.get('mode') ?? environment.found.get('mode'))?.value;
  const sources = [flags, environment, file === undefined ? nothing : readFile(file, { mode })];

  const { all, found, unread } = readAll(sources);
  const findings = checkSettings(all, new Set(unread.keys()));
  const problems = [
    ...sources.flatMap((source) => source.problems),
    ...unread.values(),
    ...findings.problems,
    ...checkStart(flags.start, all),
    ...checkFiles(all, env),
  ];
  if (problems.length > 0) throw new ConfigError(problems.map(inOneLine));
  return {
    settings: { ...all, data: resolve(all.data) },
    found,
    start: flags.start,
    warnings: [...sources.flatMap((source) => source.warnings), ...findings.warnings].map(inOneLine),
  };
}

function checkStart(start: Start, settings: Settings): string[] {
  return [...checkFillChannel(start, settings), ...checkRestore(start, settings), ...checkTakeover(start, settings)];
}

/** It also brings keys, which each daemon has in files of its own. */
function checkTakeover({ takeover }: Start, { database }: Settings): string[] {
  if (takeover === undefined || database === undefined) return [];
  return ['--takeover: not into a database: take over without it, and move what is in DATA with "slipway migrate"'];
}

/** A restore fills a directory that nobody else looks into. */
function checkRestore({ restore }: Start, { database, store }: Settings): string[] {
  if (restore === undefined || (database === undefined && store === undefined)) return [];
  const what = database === undefined ? 'store' : 'database';
  return [`--restore: not into a ${what}: restore without it, and move what is in DATA with "slipway migrate"`];
}

function checkFillChannel({ fillChannel }: Start, { channels }: Settings): string[] {
  if (fillChannel === undefined || channels.some(({ name }) => name === fillChannel)) return [];
  const known = channels.map(({ name }) => name).join(', ') || 'none';
  return [`--fill-channel: there is no channel "${fillChannel}"; configured are: ${known}`];
}

/** What others wrote is repeated in these lines: nothing in it shall break them, or move a terminal's cursor. */
const inOneLine = (line: string) => line.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

const nothing: Source = { found: new Map(), problems: [], warnings: [] };

interface Readings {
  all: Settings;
  found: Map<Key, Found>;
  /** What is wrong with the values that could not be read; their settings have the defaults. */
  unread: Map<Key, string>;
}

function readAll(sources: readonly Source[]): Readings {
  const found = new Map<Key, Found>();
  const unread = new Map<Key, string>();
  const read = (key: Key): unknown => {
    const first = sources.find((source) => source.found.has(key))?.found.get(key);
    if (!first) return settings[key].default;
    found.set(key, first);
    try {
      return settings[key].read(first.value);
    } catch (error) {
      unread.set(key, `${first.at}: ${error instanceof Error ? error.message : error}`);
      return settings[key].default;
    }
  };
  const all = Object.fromEntries(keys.map((key) => [key, read(key)])) as unknown as Settings;
  return { all, found, unread };
}

import { resolve } from 'node:path';
import { checkKeys } from './check-keys.js';
import type { Config } from './read-config.js';
import { type Key, keys, type Setting, settings } from './settings.js';

/** What a start with this configuration would use, for who asks before. */
export function report({ settings: used, found, warnings }: Config): string {
  const changed = keys.filter((key) => found.has(key) && JSON.stringify(used[key]) !== usual(key));
  const rows = changed.map((key) => [key, shown(key, used[key]), found.get(key)?.at ?? '']);
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    ([key = '', value = '', at = '']) =>
      `  ${key.padEnd(widths[0] ?? 0)}  ${value.padEnd(Math.min(40, widths[1] ?? 0))}  from ${at}`,
  );
  return [
    'slipway: the configuration can be used',
    ...lines,
    lines.length > 0 ? '  and the defaults for all others' : '  the defaults, for all settings',
    ...[...warnings, ...checkKeys(used)].map((warning) => `warning: ${warning}`),
  ].join('\n');
}

const usual = (key: Key) => JSON.stringify(key === 'data' ? resolve(settings.data.default) : settings[key].default);

function shown(key: Key, value: unknown): string {
  const setting: Setting<unknown> = settings[key];
  if (setting.shown) return setting.shown(value);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

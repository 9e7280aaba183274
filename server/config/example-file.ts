import { isRecord } from '../../imgapi/checks.js';
import { groups, keysOf, settings } from './settings.js';
import { wrap } from './wrap.js';

const WIDTH = 100;

/** etc/slipway.toml, from the table: every setting with its default, commented out. */
export function exampleFile(): string {
  const sections = (Object.keys(groups) as (keyof typeof groups)[]).map((group) => {
    const title = `# --- ${groups[group]} `;
    return [title.padEnd(WIDTH, '-'), ...keysOf(group).map(entry)].join('\n\n');
  });
  return `${head}\n\n${sections.join('\n\n')}\n`;
}

const head = `# Every setting of Slipway, with its default. Generated from server/config/settings.ts by npm run docs.
#
# Start with: slipwayd --config FILE. To change a setting, remove the # in front of its key. A key that is not known is
# refused. Flags (--tls-port 443) and variables (SLIPWAY_TLS_PORT=443) win over this file; slipwayd --check-config says
# what comes out of all three.`;

function entry(key: keyof typeof settings): string {
  const { meaning, more, example, default: usual } = settings[key];
  const text = [meaning, ...(more ? [more] : [])].flatMap((paragraph) => wrap(paragraph, WIDTH - 2));
  const sample = example ? ['For example:', ...example.split('\n').map((line) => `  ${line}`)] : [];
  const comments = [...text, ...sample].map((line) => `# ${line}`);
  // What has no default can not be said as one: its example is all there is.
  return [...comments, ...lines(key, usual)].join('\n');
}

/** An object has a line for each of its members: in one line it is not TOML, and too long for a screen. */
function lines(key: string, usual: unknown): string[] {
  if (usual === undefined) return [];
  const members = isRecord(usual) ? Object.entries(usual) : [];
  if (members.length > 0) return members.map(([name, value]) => `#${key}.${name} = ${JSON.stringify(value)}`);
  return [`#${key} = ${JSON.stringify(usual)}`];
}

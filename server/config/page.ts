import { flagOf, variableOf } from './names.js';
import { referenceDefaults, referenceKeys } from './reference-form.js';
import { groups, type Key, keysOf, settings } from './settings.js';
import { startOptions } from './start-options.js';

/** docs/configuration.md, from the tables. */
export function configurationPage(): string {
  const sections = (Object.keys(groups) as (keyof typeof groups)[]).map((group) =>
    [`### ${groups[group]}`, '', '| setting | default | meaning |', '|---|---|---|', ...keysOf(group).map(row)].join(
      '\n',
    ),
  );
  const starts = Object.entries(startOptions).map(
    ([name, { meaning, value }]) => `| \`${flagOf(name)}${value ? ` ${value}` : ''}\` | ${meaning} |`,
  );
  const theirs = Object.entries(referenceKeys).map(([key, { becomes }]) => `| \`${key}\` | ${becomes} |`);
  const usual = Object.entries(referenceDefaults('public')).map(([key, value]) => `\`${key}\` ${cell(value)}`);
  return `# Configuration

Generated from the tables in \`server/config/\` by \`npm run docs\`; a test holds this page against them.

No configuration is needed. What is set comes from, in this order:

1. flags: \`--tls-port 443\`, \`--tls-port=443\`, or with the name of the setting as it is: \`--tlsPort 443\`. What can only
   be true or false needs no value: \`--tls-self-signed\`, \`--tls-self-signed=false\`
2. environment variables: \`SLIPWAY_TLS_PORT=443\`
3. a file, which \`--config FILE\` or \`SLIPWAY_CONFIG\` names, in TOML, or in JSON: \`tlsPort = 443\`.
   [etc/slipway.toml](../etc/slipway.toml) is a file to start from: every setting, commented out

Lists are written with commas in flags and variables, \`channels\` and \`authKeys\` as JSON. What is not known is refused by
its name: a key of the file, a flag, a variable that begins with \`SLIPWAY_\` (but for those of the command line client).

\`\`\`sh
slipwayd --check-config --config slipway.toml   # what would be used and where it comes from, or all that is wrong
\`\`\`

ends with 0 or 1 and touches nothing. Every start makes the same checks.

## Starting

| flag | meaning |
|---|---|
${starts.join('\n')}

## Settings

${sections.join('\n\n')}

## A configuration of the reference server

The \`imgapi.config.json\` of the IMGAPI server that Slipway stands in for can be given as it is. A JSON file is taken for
one when that is its name, or when it has a key that only the reference knows. Then the defaults are those of the
reference:
${usual.join(', ')}; in mode dc \`authType\` is \`"none"\`.
Flags and variables win, as always, and settings of ours may stand in the file beside the others. A key that is not used
is warned of by its name.

| key | what becomes of it |
|---|---|
${theirs.join('\n')}
`;
}

function row(key: Key): string {
  const { meaning, more, example, default: usual } = settings[key];
  const sample = example ? `For example \`${example.replace(/\n */g, ' ')}\`` : undefined;
  const names = [`**\`${key}\`**`, `\`${flagOf(key)}\``, `\`${variableOf(key)}\``].join('<br>');
  return `| ${names} | ${cell(usual)} | ${[meaning, more, sample].filter(Boolean).join('<br>')} |`;
}

const cell = (value: unknown) => (value === undefined ? 'none' : `\`${JSON.stringify(value)}\``);

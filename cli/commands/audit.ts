import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Exchange } from '../../imgapi/exchange.js';
import { atPath } from '../at-path.js';
import type { Register } from '../command.js';
import { type Field, optionsOf, valuesOf } from '../field.js';
import { DASH } from '../input.js';
import { print } from '../output.js';
import { asQuery, resource } from '../resource.js';
import { openSession } from '../session.js';

const filters: readonly Field[] = [
  ['dc', '--dc <dc>', 'what was done in this data center'],
  ['object', '--object <name>', 'what was done to this: a name or a uuid'],
  ['user', '--by <user>', 'what this user did'],
  ['since', '--since <date>', 'from then on'],
  ['until', '--until <date>', 'until then'],
];

/** As it comes, so that any number of entries can be had. */
const exported: Register = (group, context) => {
  const command = group.command('export').description('write entries as JSON lines, for "slipway audit verify" too');
  for (const field of filters) for (const option of optionsOf(field)) command.addOption(option);
  command
    .option('-O, --output <file>', 'into this file, which must not exist; "-": to standard output', DASH)
    .addHelpText(
      'after',
      '\nExamples:\n  slipway audit export -O audit.jsonl\n  slipway audit export --dc north | jq .what',
    )
    .action(async (options: { output: string }, called: Command) => {
      const exchange = new Exchange(await openSession(called, context));
      const query = asQuery(await valuesOf(filters, { ...options }, context));
      const { body } = await exchange.send('GET', '/api/audit/export', { query });
      if (options.output === DASH) for await (const chunk of body) await print(context.io, chunk);
      else
        await atPath(options.output, pipeline(body, createWriteStream(options.output, { flags: 'wx', mode: 0o600 })));
    });
};

export const register = resource({
  name: 'audit',
  description: 'what was done: by whom, to what, when, and whether the record of it is whole',
  rows: [
    {
      name: 'search',
      description: 'list what was done, the newest first',
      asks: 'GET /api/audit',
      fields: [
        ...filters,
        ['limit', '--limit <number>', 'at most so many', 'number'],
        ['offset', '--offset <number>', 'without the first so many', 'number'],
      ],
      columns: 'at who from what object result',
      examples: ['audit search --object base', 'audit search --by alice --since 2030-01-01 --csv'],
    },
    exported,
  ],
});

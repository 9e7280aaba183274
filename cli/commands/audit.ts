import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Exchange } from '../../imgapi/exchange.js';
import { atPath } from '../at-path.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { type Field, optionsOf, valuesOf } from '../field.js';
import { DASH } from '../input.js';
import { Management } from '../management.js';
import { print, printJson } from '../output.js';
import { asQuery, resource } from '../resource.js';
import { openSession } from '../session.js';
import { verifyAudit } from '../verify-audit.js';
import { visible } from '../visible.js';

const filters: readonly Field[] = [
  ['dc', '--dc <dc>', 'what was done in this data center'],
  ['object', '--object <name>', 'what was done to this: a name or a uuid'],
  ['kind', '--kind <kind>', 'what was done to something of this kind: images, users, groups …'],
  ['user', '--by <user>', 'what this user did'],
  ['since', '--since <date>', 'from then on'],
  ['until', '--until <date>', 'until then'],
];

interface Verifying {
  heads?: string;
  signedBy?: string;
  json?: true;
}

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

const VERIFYING = `
Without a file, the server is asked for all there is. Heads that were kept elsewhere tell more than those that the
server tells now: whoever can change its records can sign new heads as well.

Examples:
  slipway audit verify
  slipway audit heads --json > heads-of-may.json
  slipway audit verify --heads heads-of-may.json
  slipway audit verify audit.jsonl --heads heads-of-may.json --signed-by key.pem`;

const verified: Register = (group, context) => {
  group
    .command('verify')
    .description('find out whether anything in the record of what was done was changed, left out or cut off')
    .argument('[file]', 'what "slipway audit export" wrote; "-": from standard input')
    .option('--heads <file>', 'what "slipway audit heads --json" told then')
    .option('--signed-by <file>', 'the public key of the server (PEM)')
    .option('-j, --json', 'as JSON')
    .addHelpText('after', VERIFYING)
    .action(async (file: string | undefined, options: Verifying, command: Command) => {
      const { heads, signedBy: key, json } = options;
      const server = async () => new Management(await openSession(command, context));
      const { entries, chains, faults } = await verifyAudit({ file, heads, key }, server, context);
      if (json) await printJson(context.io, { entries, chains, faults });
      else await print(context.io, faults.map(({ what, message }) => `${visible(`${what}: ${message}`)}\n`).join(''));
      if (faults.length > 0) {
        throw new CliError(`the record is not whole: ${faults.length} faults in ${entries} entries`, {
          hint: 'keep the export and the data of the server as they are, and find out who could write to them',
        });
      }
      if (!json)
        await print(
          context.io,
          `all is whole: ${entries} entries in ${chains.length === 1 ? 'one chain' : `${chains.length} chains`}\n`,
        );
    });
};

export const register = resource({
  name: 'audit',
  description: 'what was done: by whom, to what, when, and whether the record of it is whole',
  rows: [
    {
      name: 'search',
      alias: 'list',
      description: 'list what was done, the newest first',
      asks: 'GET /api/audit',
      fields: [
        ...filters,
        ['what', '--what <call>', 'only this, such as UpdateImage'],
        ['after', '--before <id>', 'only what is older than this entry'],
        ['limit', '--limit <number>', 'at most so many', 'number'],
        ['offset', '--offset <number>', 'without the first so many', 'number'],
      ],
      columns: 'at who from what object result',
      examples: ['audit search --object base', 'audit search --by alice --since 2030-01-01 --csv'],
    },
    exported,
    {
      name: 'heads',
      description:
        'show how far the record goes, signed: keep it elsewhere, and nothing before it can be cut off unseen',
      asks: 'GET /api/audit/head',
      examples: ['audit heads --json > heads-of-may.json'],
    },
    verified,
  ],
});

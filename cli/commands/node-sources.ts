import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { Management } from '../management.js';
import { addListOptions, call } from '../resource.js';
import { openSession } from '../session.js';
import { columnsOf, type Fields, printRows, type Shown } from '../table.js';

const COLUMNS = 'node state since there wanted error';

/** Of all nodes that are talked to, or of one. */
export const sources: Register = (group, context) => {
  addListOptions(
    group
      .command('sources')
      .description('show which image servers nodes are to ask, and which they ask')
      .argument('[node]', 'all that are talked to unless given')
      .option('--push', 'have them ask those at once')
      .addHelpText('after', '\nExamples:\n  slipway node sources\n  slipway node sources node1 --push'),
  ).action(async (node: string | undefined, options: Shown & { push?: true }, called: Command) => {
    const management = new Management(await openSession(called, context));
    const { result } = await call(management, 'GET /api/nodesource', { full: true });
    const all = [result].flat().filter(isRecord);
    const found = node === undefined ? all : all.filter((row) => row.node === node);
    if (node !== undefined && found.length === 0 && !options.push) {
      throw new CliError(`node "${node}" is not talked to, or there is none`, {
        hint: '"slipway node list" lists all',
      });
    }
    const rows = options.push ? await pushed(management, node === undefined ? found : [{ node }]) : found;
    await printRows(context.io, columnsOf(COLUMNS.split(' ')), rows, options);
    const failed = rows.filter(({ state }) => options.push && state !== 'ok');
    if (failed.length > 0) throw new CliError(failed.map(({ node, error }) => `${node}: ${error}`).join('; '));
  });
};

/** One that refuses keeps none of the others from being told; the only one says why itself. */
async function pushed(management: Management, rows: readonly Fields[]): Promise<Fields[]> {
  const told: Fields[] = [];
  for (const { node, state } of rows) {
    if (state === 'off') continue;
    try {
      const { result } = await call(management, 'PUT /api/node/:node/source', { node });
      told.push(Object(result));
    } catch (error) {
      if (rows.length === 1 || !(error instanceof Error)) throw error;
      told.push({ node, state: 'failed', error: error.message });
    }
  }
  return told;
}

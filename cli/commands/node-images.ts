import { type Command, Option } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { confirmDeletion } from '../confirm.js';
import { CliError, exits } from '../errors.js';
import { withImages } from '../managed-image.js';
import { isRunning, Management, type Outcome } from '../management.js';
import { note, print, printJson } from '../output.js';
import { addListOptions, call } from '../resource.js';
import { openSession } from '../session.js';
import { columnsOf, type Fields, printRows, type Shown } from '../table.js';
import { visible } from '../visible.js';
import { awaited } from '../wait.js';

/** Where SmartOS has its images, and other nodes may have them as well. */
const USUAL = 'zones';

interface Options extends Shown {
  pool?: string;
  dc?: string;
  bandwidth?: string;
  yes?: true;
  wait?: boolean;
}

/** The pool that is meant, by its name; where nobody says it, there is one, or the usual one. */
async function poolOf(management: Management, node: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const { result } = await call(management, 'GET /api/node/:node/storage', { node });
  const pools = Array.isArray(result) ? result.map(String) : [];
  const [only = ''] = pools.length === 1 ? pools : pools.filter((name) => name === USUAL);
  if (only !== '') return only;
  const hint =
    pools.length === 0 ? `"slipway node refresh ${node}" asks it` : `say which with --pool: ${pools.join(', ')}`;
  throw new CliError(`node ${node} has ${pools.length === 0 ? 'no pool that is known' : 'several pools'}`, { hint });
}

interface Meant {
  management: Management;
  given: Fields;
}

async function meant(
  node: string,
  image: string | undefined,
  options: Options,
  called: Command,
  context: Context,
): Promise<Meant> {
  const management = new Management(await openSession(called, context));
  const { dc, bandwidth } = options;
  const pool = await poolOf(management, node, options.pool);
  const named = { image, dc, ...(bandwidth !== undefined && { bandwidth: numberOf(bandwidth) }) };
  const { io } = context;
  const found = image === undefined ? {} : await withImages(named, { management, io, dc, deletes: false });
  return { management, given: { node, pool, ...found } };
}

function numberOf(given: string): number {
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new CliError(`--bandwidth has to be a number of bytes a second, not "${given}"`);
}

async function ended(
  { management }: Meant,
  begun: Outcome,
  options: Options,
  context: Context,
): Promise<{ result: unknown; isTold: boolean }> {
  const { io } = context;
  const outcome = options.wait === false ? begun : await awaited(management, begun, io);
  const { result } = outcome;
  if (options.json) await printJson(io, isRunning(outcome) ? outcome : result);
  else if (isRunning(outcome)) await print(io, `${outcome.task}\n`);
  return { result, isTold: options.json === true || isRunning(outcome) };
}

const command = (group: Command, name: string, description: string, examples: readonly string[]) =>
  group
    .command(name)
    .description(description)
    .argument('<node>')
    .option('--pool <pool>', `on which of its pools; unless given, the only one, or "${USUAL}"`)
    .addHelpText('after', ['\nExamples:', ...examples.map((example) => `  slipway ${example}`)].join('\n'));

const long = (one: Command) =>
  one.option('--no-wait', 'do not wait for the task').option('-j, --json', 'the answer, as JSON');

const whichDc = () => new Option('--dc <dc>', 'where the image is meant, where several have its name');

const pull: Register = (group, context) => {
  long(
    command(group, 'pull', 'have a node fetch an image, and what it builds on', ['node pull node1 base --pool zones']),
  )
    .argument('<image>')
    .addOption(whichDc())
    .option('--bandwidth <bytes>', 'at most so many bytes a second, where its tool can keep to it')
    .action(async (node: string, image: string, options: Options, called: Command) => {
      const asked = await meant(node, image, options, called, context);
      const begun = await call(asked.management, 'POST /api/node/:node/storage/:pool/image/:image', asked.given);
      if (!(await ended(asked, begun, options, context)).isTold)
        await print(context.io, `${visible(`${image} is on ${node}, pool ${asked.given.pool}`)}\n`);
    });
};

const images: Register = (group, context) => {
  addListOptions(
    command(group, 'images', 'list the images on a node', ['node images node1', 'node images node1 --json']),
  ).action(async (node: string, options: Options, called: Command) => {
    const { management, given } = await meant(node, undefined, options, called, context);
    const { result } = await call(management, 'GET /api/node/:node/storage/:pool/image', { ...given, full: true });
    const rows = Array.isArray(result) ? result.filter(isRecord) : [];
    await printRows(context.io, columnsOf('uuid name version state size vm_count'.split(' ')), rows, options);
  });
};

const drop: Register = (group, context) => {
  long(command(group, 'drop', 'remove an image from a node; the server keeps it', ['node drop node1 base --yes']))
    .argument('<image>')
    .addOption(whichDc())
    .option('-y, --yes', 'without asking; needed where there is no terminal')
    .action(async (node: string, image: string, options: Options, called: Command) => {
      const asked = await meant(node, image, options, called, context);
      const { pool } = asked.given;
      if (!options.yes) await confirmDeletion([`${image} on ${node}, pool ${pool}`], context);
      const begun = await call(asked.management, 'DELETE /api/node/:node/storage/:pool/image/:image', asked.given);
      if (!(await ended(asked, begun, options, context)).isTold)
        await print(context.io, `${visible(`${image} is gone from ${node}, pool ${pool}`)}\n`);
    });
};

const clean: Register = (group, context) => {
  long(
    command(group, 'clean', 'remove all images from a node that nothing there uses', [
      'node clean node1 --pool zones --yes',
    ]),
  )
    .option('-y, --yes', 'without asking; needed where there is no terminal')
    .action(async (node: string, options: Options, called: Command) => {
      const asked = await meant(node, undefined, options, called, context);
      const { pool } = asked.given;
      if (!options.yes) await confirmDeletion([`all unused images on ${node}, pool ${pool}`], context);
      const begun = await call(asked.management, 'DELETE /api/node/:node/storage/:pool/image', asked.given);
      const { result, isTold } = await ended(asked, begun, options, context);
      const rows = Array.isArray(result) ? result.filter(isRecord) : [];
      if (!isTold)
        await printRows(context.io, columnsOf('image name status detail'.split(' ')), rows, {
          ...options,
          header: true,
        });
      const failed = rows.filter(({ status }) => status === 'FAILURE').length;
      if (failed > 0) throw new CliError(`${failed} images could not be removed`, { exit: exits.refused });
      if (!isTold && rows.length === 0) note(context.io, `there is no image on ${node}, pool ${pool}`);
    });
};

export const nodeImages: readonly Register[] = [pull, images, drop, clean];

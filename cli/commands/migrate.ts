import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Register } from '../command.js';
import { CliError, Interrupted } from '../errors.js';
import { Management } from '../management.js';
import { note, print, sizeText } from '../output.js';
import { pause } from '../pause.js';
import { type Advance, withProgress } from '../progress.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

interface Options {
  to?: string;
  status?: true;
  abort?: true;
  json?: true;
  quiet?: true;
}

interface Standing {
  status: string;
  config: string | null;
  contents: number;
  contents_total: number;
  bytes: number;
  bytes_total: number;
  unreadable: string[];
  records: number | null;
  error: string | null;
}

const PATH = '/api/migration';
const EVERY = 500;
const UNDER_WAY = ['copying', 'finishing'];

const EXAMPLES = `
CONFIG is a configuration file on the machine of the server, with other stores in it: a database and a bucket, or a data
directory. The server copies its images there and goes on serving; each is read back and compared with its digest. Then
it writes nothing any more (writes are told to come again later), takes along what has come meanwhile and all records,
and stops: start it with CONFIG, then. Until that moment it can be killed, and is what it was; the same command goes on
where it was.

Examples:
  slipway migrate --to /etc/slipway/cluster.toml
  slipway migrate --status
  slipway migrate --abort      what was copied is kept for the next time`;

export const register: Register = (program, context) => {
  program
    .command('migrate')
    .description('take the running server to other stores: to PostgreSQL and S3, or back')
    .option('--to <config>', 'where it goes: the whole path of a configuration file on its machine')
    .option('--status', 'how far it has come')
    .option('--abort', 'end it, unless its last step has begun')
    .option('--json', 'with --status: all that is known, as JSON')
    .option('-q, --quiet', 'without progress')
    .addHelpText('after', EXAMPLES)
    .action(async ({ to, status, abort, json, quiet }: Options, command: Command) => {
      if ([to, status, abort].filter((one) => one !== undefined).length !== 1) {
        throw new CliError('say one of --to CONFIG, --status and --abort');
      }
      const session = await openSession(command, context);
      const management = new Management(session);
      const { io } = context;
      const ask = async (method: string, body?: object) =>
        standingIn((await management.ask(method, PATH, body && { json: body })).result, management);
      if (to === undefined) {
        const standing = await ask(abort ? 'DELETE' : 'GET');
        return print(io, json ? `${JSON.stringify(standing, null, 2)}\n` : `${lineOf(standing)}\n`);
      }
      await ask('POST', { config: to });
      const wait = () => pause(EVERY, session.signal);
      try {
        const ended = await followed(
          () => ask('GET'),
          wait,
          (label, total, work) => withProgress(io, { label, total, quiet }, work),
        );
        if (ended.status !== 'moved') throw new CliError(lineOf(ended), { hint: hintFor(ended) });
        if (ended.unreadable.length > 0)
          note(io, `${ended.unreadable.length} contents were lost before: ${ended.unreadable[0]}, …`);
        await print(io, `${lineOf(ended)}\n`);
      } catch (error) {
        if (error instanceof Interrupted)
          note(
            io,
            'the server goes on; "slipway migrate --status" tells how far it is, "slipway migrate --abort" ends it',
          );
        throw error;
      }
    });
};

const hintFor = ({ status }: Standing) =>
  status === 'failed'
    ? 'the log of the server tells more; the same command goes on where it was'
    : 'the same command goes on where it was';

/** What it comes to; on a terminal it is shown how far it is. */
async function followed(
  look: () => Promise<Standing>,
  wait: () => Promise<void>,
  shown: (label: string, total: number, work: (advance: Advance) => Promise<Standing>) => Promise<Standing>,
): Promise<Standing> {
  let last = await look();
  while (last.status === 'copying' && last.bytes_total === 0) {
    await wait();
    last = await look();
  }
  if (!UNDER_WAY.includes(last.status)) return last;
  return shown('moving', last.bytes_total, async (advance) => {
    let far = 0;
    for (;;) {
      advance(Math.max(0, last.bytes - far));
      far = Math.max(far, last.bytes);
      if (!UNDER_WAY.includes(last.status)) return last;
      await wait();
      last = await look();
    }
  });
}

function lineOf({ status, config, contents, contents_total, bytes, bytes_total, records, error }: Standing): string {
  const where = visible(config ?? '');
  const far = `${contents} of ${contents_total} contents, ${sizeText(bytes)} of ${sizeText(bytes_total)}`;
  const lines: Record<string, string> = {
    none: 'the server is where it was',
    interrupted: `a move to ${where} was cut off: the same command goes on where it was`,
    copying: `moving to ${where}: ${far}`,
    finishing: `moving to ${where}, in the last step, in which nothing is written: ${far}`,
    moved: `moved: ${contents} contents, ${sizeText(bytes)}, ${records} records; start the daemon with --config ${where}`,
    failed: `the move to ${where} has failed: ${visible(error ?? '')}`,
    aborted: `the move to ${where} was ended`,
  };
  return lines[status] ?? status;
}

function standingIn(result: unknown, { exchange }: Management): Standing {
  if (isRecord(result) && typeof result.status === 'string') return result as unknown as Standing;
  throw exchange.answeredBadly(200, 'can not move');
}

import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import { Exchange } from '../../imgapi/exchange.js';
import { Unreachable } from '../../imgapi/exchange-errors.js';
import type { Context, Register } from '../command.js';
import { note, print } from '../output.js';
import { pause } from '../pause.js';
import { type ServerEvent, serverEvents } from '../server-events.js';
import { openSession } from '../session.js';
import { valueText } from '../table.js';
import { visible, visibleJson } from '../visible.js';

interface Options {
  after?: string;
  json?: true;
}

/** Before a stream that was cut is asked for again. */
const PAUSE = 1000;

const EXAMPLES = `
Examples:
  slipway events                       what changes from now on, until Ctrl-C
  slipway events --after ID            what has changed since that event as well; each line begins with its id
  slipway events --json | jq .object   a line of JSON for each`;

export const register: Register = (program, context) => {
  program
    .command('events')
    .description('follow what changes, as far as you may see it')
    .option('--after <id>', 'begin behind this event')
    .option('-j, --json', 'a line of JSON for each')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      const exchange = new Exchange(await openSession(command, context));
      const print = options.json ? printJsonLine : printLine;
      await follow(exchange, options.after, { context, heard: (event) => print(context, event) });
    });
};

interface Following {
  context: Context;
  heard(event: ServerEvent): Promise<void>;
}

/** Goes on where it was cut off, for as long as the server lets us in. */
async function follow(exchange: Exchange, after: string | undefined, { context, heard }: Following): Promise<never> {
  let last = after;
  for (let isFirst = true; ; isFirst = false) {
    try {
      const headers = { accept: 'text/event-stream', 'last-event-id': last };
      const { body } = await exchange.send('GET', '/api/events', { headers });
      for await (const event of serverEvents(body)) {
        await heard(event);
        last = event.id ?? last;
      }
    } catch (error) {
      if (isFirst || !(error instanceof Unreachable)) throw error;
    }
    note(context.io, 'the stream has ended: asking again');
    await pause(PAUSE, context.signal);
  }
}

const printJsonLine = ({ io }: Context, { id, name, data }: ServerEvent) =>
  print(io, `${visibleJson(JSON.stringify({ id, event: name, ...Object(parsed(data)) }))}\n`);

function printLine({ io }: Context, { id, name, data }: ServerEvent): Promise<void> {
  const value = parsed(data);
  const said = isRecord(value) ? Object.entries(value).map(([key, one]) => `${key}=${valueText(one)}`) : [data];
  return print(io, `${visible([id ?? '-', name, ...said].join('  '))}\n`);
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return { data };
  }
}

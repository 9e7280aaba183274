import { type Command, Option } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import { literal } from '../literal.js';
import { isRunning, Management } from '../management.js';
import { print, printJson } from '../output.js';
import { asQuery, printResult } from '../resource.js';
import { openSession } from '../session.js';
import { columnsOf, type Fields, printRows } from '../table.js';
import { awaited } from '../wait.js';

interface Options {
  wait: boolean;
  json?: true;
  csv?: true;
}

/** What a verb does, as HTTP says it. */
const verbs = {
  get: ['GET', 'ask for what there is', 'get /image -full --csv', 'get /dc/north/image/base'],
  create: ['POST', 'make something', 'create /dc/north -owner alice', 'create /dc/north/image/base'],
  set: ['PUT', 'change something', "set /image/base -desc 'for all' -tags json::'[\"db\"]'"],
  delete: ['DELETE', 'delete something, without asking', 'delete /dc/north/image/base'],
  options: ['OPTIONS', 'ask what can be done with something', 'options /image/base'],
} as const;

const PARAMETERS = `
Parameters are written with one dash, as the API names them: -full, -limit 10. Without a value they are true. Values are
true, false, null, json::JSON, file::PATH (the text of a file), and all else is text. They go into the query of "get",
and into the body of the others.
`;

export const register: Register = (program, context) => {
  const group = program
    .command('api')
    .description('any call of the management API; "slipway get /image" is short for "slipway api get /image"')
    .helpCommand(false);
  for (const [name, [method, description, ...examples]] of Object.entries(verbs)) {
    group
      .command(name)
      .description(description)
      .argument('<resource>', 'a path below /api, such as /image/base')
      .argument('[parameters...]', '-NAME VALUE, or -NAME=VALUE where it begins with a dash')
      // one dash is for parameters: options have two
      .allowUnknownOption()
      .addOption(new Option('--csv', 'as CSV').conflicts('json'))
      .option('--json', 'as JSON, instead of a table')
      .option('--no-wait', 'do not wait for the task that this may become')
      .addHelpText('after', `${PARAMETERS}\nExamples:\n${examples.map((example) => `  slipway ${example}`).join('\n')}`)
      .action((resource: string, words: string[], options: Options, command: Command) =>
        perform(method, resource, words, { options, command, context }),
      );
  }
};

const ofImages: ReadonlySet<string> = new Set(['create', 'delete']);

/** A verb means the API; where it is a command for images as well, only before a path. */
export function asApiCall(args: readonly string[]): string[] {
  const [verb = '', resource = ''] = args;
  const isShort = Object.hasOwn(verbs, verb) && (!ofImages.has(verb) || resource.startsWith('/'));
  return isShort ? ['api', ...args] : [...args];
}

async function perform(
  method: string,
  resource: string,
  words: readonly string[],
  { options, command, context }: { options: Options; command: Command; context: Context },
): Promise<void> {
  if (!resource.startsWith('/')) {
    throw new CliError(`"${resource}" is no path`, { hint: 'write it like /image/base, before the parameters' });
  }
  const parameters = await parametersOf(words, context);
  const path = resource.startsWith('/api/') ? resource : `/api${resource}`;
  const management = new Management(await openSession(command, context));
  const told = method === 'GET' ? { query: asQuery(parameters) } : { json: parameters };
  if (method === 'OPTIONS') return printJson(context.io, await management.exchange.json(method, path));
  const begun = await management.ask(method, path, told);
  const outcome = options.wait ? await awaited(management, begun, context.io) : begun;
  if (isRunning(outcome)) return options.json ? printJson(context.io, outcome) : print(context.io, `${outcome.task}\n`);
  await show(outcome.result, options, context);
}

async function parametersOf(words: readonly string[], context: Context): Promise<Fields> {
  const parameters: Fields = {};
  let awaiting: string | undefined;
  for (const word of words) {
    if (/^--./.test(word)) throw new CliError(`there is no option "${word}"`, { hint: 'parameters have one dash' });
    const [, name, value] = /^-([A-Za-z0-9][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name !== undefined) parameters[name] = value === undefined ? true : await meant(name, value, context);
    else if (awaiting !== undefined) parameters[awaiting] = await meant(awaiting, word, context);
    else throw new CliError(`"${word}" belongs to no parameter`, { hint: 'write parameters like -limit 10' });
    awaiting = value === undefined ? name : undefined;
  }
  return parameters;
}

/** Of a password, the file in which it stands: the shell's history and other users would see the word itself. */
async function meant(name: string, word: string, context: Context): Promise<unknown> {
  if (name !== 'password') return literal(word, context);
  if (word.startsWith('file::')) return String(await literal(word, context)).replace(/\r?\n$/, '');
  throw new CliError('a password is not taken from the command line, where others could see it', {
    hint: 'write -password file::PATH, or set it with "slipway user password"',
  });
}

function show(result: unknown, options: Options, { io }: Context): Promise<void> {
  if (options.json) return printJson(io, result);
  const rows = rowsOf(result);
  if (rows === undefined) return printResult(io, result);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return printRows(io, columnsOf(names), rows, { ...options, header: true });
}

/** What a table can show: a list of objects, and for CSV there is nothing else. */
function rowsOf(result: unknown): Fields[] | undefined {
  return Array.isArray(result) && result.length > 0 && result.every(isRecord) ? result : undefined;
}

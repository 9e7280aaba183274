import { type Command, Option } from 'commander';
import { isRecord } from '../imgapi/checks.js';
import type { RawQuery } from '../imgapi/query.js';
import type { Context, Register } from './command.js';
import { confirmDeletion } from './confirm.js';
import { CliError } from './errors.js';
import { type Field, optionsOf, valuesOf } from './field.js';
import { withImages } from './managed-image.js';
import { isRunning, Management, type Outcome } from './management.js';
import { print, printJson } from './output.js';
import { openSession } from './session.js';
import { columnsOf, type Fields, type Meanings, meant, printFields, printRows, type Shown } from './table.js';
import { visible } from './visible.js';
import { awaited } from './wait.js';

/** One call of the management API as a command. */
export interface Row {
  name: string;
  /** What else it is called. */
  alias?: string;
  description: string;
  /** Method and path: what stands behind a colon there is an argument, or a field. */
  asks: string;
  /** The arguments, where they are not those of the path: one that the path does not name is a field of the body. */
  words?: readonly string[];
  fields?: readonly Field[];
  /** What is told on every call. */
  always?: Fields;
  /** The fields of a list that are shown. */
  columns?: string;
  /** In which field of the result that list stands, where it is not the result itself. */
  lists?: string;
  /** How values are called where they are shown. */
  meanings?: Meanings;
  /** What is said when it is done, with arguments behind colons; without it the result is shown. */
  done?: string;
  /** It may become a task, which is waited for unless somebody says otherwise. */
  long?: true;
  /** What is asked about before it is deleted: a line for each of a list that it names. */
  confirms?: string;
  /** Statuses from 300 on that are no refusals. */
  answers?: readonly number[];
  /** What is wrong with a result that came nevertheless. */
  check?(result: unknown): void;
  /** As they are typed, without the name of the program. */
  examples: readonly string[];
}

/** Commands that belong together, as rows, groups of their own, or made by hand. */
export interface Resource {
  name: string;
  description: string;
  rows: readonly (Row | Resource | Register)[];
}

type Options = Shown & Fields & { yes?: true; wait?: boolean };

export const resource =
  (plan: Resource): Register =>
  (program, context) => {
    const group = program.command(plan.name).description(plan.description).helpCommand(false);
    for (const row of plan.rows) {
      if (typeof row === 'function') row(group, context);
      else if ('rows' in row) resource(row)(group, context);
      else registerRow(group, context, row);
    }
  };

/** A command that stands by itself. */
export const single =
  (row: Row): Register =>
  (program, context) =>
    registerRow(program, context, row);

function registerRow(group: Command, context: Context, row: Row): void {
  const command = group.command(row.name).description(row.description);
  if (row.alias) command.alias(row.alias);
  const words = row.words ?? wordsOf(row);
  for (const word of words) command.argument(word);
  for (const field of row.fields ?? []) for (const option of optionsOf(field)) command.addOption(option);
  if (row.confirms) command.option('-y, --yes', 'without asking; needed where there is no terminal');
  if (row.long) command.option('--no-wait', 'do not wait for the task that this may become');
  if (row.columns) addListOptions(command);
  else command.option('-j, --json', 'the answer, as JSON');
  command
    .addHelpText('after', ['\nExamples:', ...row.examples.map((example) => `  slipway ${example}`)].join('\n'))
    .action(async (...given: unknown[]) => {
      const texts = Object.fromEntries(
        words.flatMap((word, at) => (given[at] === undefined ? [] : [[nameOf(word), given[at]]])),
      );
      await perform(row, texts, command, context);
    });
}

export function addListOptions(command: Command): Command {
  return command
    .option('-H, --no-header', 'without the titles of the columns')
    .addOption(new Option('--csv', 'as CSV').conflicts('json'))
    .option('-j, --json', 'as JSON');
}

/** The arguments that the path names, but for those that a field gives. */
function wordsOf({ asks, fields = [] }: Row): string[] {
  const given = new Set(fields.map(([name]) => name));
  return [...asks.matchAll(/:(\w+)/g)].flatMap(([, name = '']) => (given.has(name) ? [] : `<${name}>`));
}

const nameOf = (word: string) => word.replace(/[<>[\].]/g, '');

async function perform(row: Row, texts: Fields, command: Command, context: Context): Promise<void> {
  const options: Options = command.opts();
  const values = await valuesOf(row.fields ?? [], options, context);
  for (const name of Object.keys(texts)) if (Object.hasOwn(values, name)) throw new CliError(`${name} is named twice`);
  const given = { ...row.always, ...texts, ...values };
  const management = new Management(await openSession(command, context));
  const { io } = context;
  const told = await withImages(given, { management, io, dc: options.dc, deletes: row.confirms !== undefined });
  if (row.confirms && !options.yes) await confirmDeletion(saidOfEach(row.confirms, given), context);
  const begun = await call(management, row.asks, told, row.answers);
  const outcome = options.wait === false ? begun : await awaited(management, begun, io);
  await tell(row, given, outcome, options, context);
  if (!isRunning(outcome)) row.check?.(outcome.result);
}

/** What the path does not name is told in the query, or in the body. */
export function call(
  management: Management,
  asks: string,
  given: Fields,
  answers: readonly number[] = [],
): Promise<Outcome> {
  const [method = '', template = ''] = asks.split(' ');
  const inPath = new Set([...template.matchAll(/:(\w+)/g)].map(([, name]) => name));
  const path = template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(given[name])));
  const others = Object.entries(given).filter(([name, value]) => !inPath.has(name) && value !== undefined);
  const told = Object.fromEntries(others);
  return management.ask(method, path, { answers, ...(method === 'GET' ? { query: asQuery(told) } : { json: told }) });
}

export const asQuery = (told: Fields): RawQuery =>
  Object.fromEntries(Object.entries(told).map(([name, value]) => [name, String(value)]));

async function tell(row: Row, given: Fields, outcome: Outcome, options: Options, { io }: Context): Promise<void> {
  const { result } = outcome;
  if (isRunning(outcome)) return options.json ? printJson(io, outcome) : print(io, `${outcome.task}\n`);
  const list = row.lists !== undefined && isRecord(result) && !options.json ? result[row.lists] : result;
  if (row.columns && Array.isArray(list) && list.every(isRecord)) {
    return printRows(io, columnsOf(row.columns.split(' '), row.meanings), list, options);
  }
  if (options.json) return printJson(io, result);
  if (row.done) return print(io, `${visible(said(row.done, given))}\n`);
  return printResult(io, result, row.meanings);
}

/** Whatever it is: objects by field, lists by line. */
export async function printResult(io: Context['io'], result: unknown, meanings: Meanings = {}): Promise<void> {
  if (result === null) return;
  if (isRecord(result)) return printFields(io, result, (name, value) => meant(name, value, meanings));
  for (const one of [result].flat()) {
    await print(io, `${visible(typeof one === 'string' ? one : JSON.stringify(one))}\n`);
  }
}

const said = (text: string, given: Fields) => text.replace(/:(\w+)/g, (_, name: string) => String(given[name]));

function saidOfEach(text: string, given: Fields): string[] {
  const [name, list] =
    Object.entries(given).find(([name, value]) => text.includes(`:${name}`) && Array.isArray(value)) ?? [];
  return name === undefined ? [said(text, given)] : [list].flat().map((one) => said(text, { ...given, [name]: one }));
}

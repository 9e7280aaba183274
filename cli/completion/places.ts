import type { Argument, Command, Option } from 'commander';

/** What may be written somewhere: one of a list; or what slipway is asked for, or the shell knows, at that moment. */
export type Values = readonly string[] | 'servers' | 'images' | 'files' | 'any';

export interface Word {
  word: string;
  meaning: string;
}

export interface OptionPlace {
  names: string[];
  meaning: string;
  /** None where the option takes no value. */
  values: Values | undefined;
}

/** A command, as shells have to know it. */
export interface Place {
  /** Its words, each after a blank; the program itself has none. */
  path: string;
  commands: Word[];
  options: OptionPlace[];
  argument: Values;
}

/** The program, its commands, and theirs. */
export function placesOf(command: Command, path = ''): Place[] {
  const place: Place = {
    path,
    commands: command.commands.map((one) => ({ word: one.name(), meaning: one.description() })),
    options: [
      ...command.options.filter(({ hidden }) => !hidden).map(optionPlace),
      { names: ['-h', '--help'], meaning: 'show help', values: undefined },
    ],
    argument: command.registeredArguments[0] ? argumentValues(command.registeredArguments[0]) : [],
  };
  return [place, ...command.commands.flatMap((one) => placesOf(one, `${path} ${one.name()}`))];
}

const optionPlace = (option: Option): OptionPlace => ({
  names: [option.short, option.long].filter((name) => name !== undefined),
  meaning: option.description,
  values: option.required || option.optional ? optionValues(option) : undefined,
});

function optionValues({ long, flags, argChoices }: Option): Values {
  if (argChoices) return argChoices;
  if (long === '--server') return 'servers';
  return /[<[]file/.test(flags) ? 'files' : 'any';
}

const byName: Record<string, Values> = { image: 'images', images: 'images', file: 'files', server: 'servers' };

const argumentValues = (argument: Argument): Values => argument.argChoices ?? byName[argument.name()] ?? 'any';

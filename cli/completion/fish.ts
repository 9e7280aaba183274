import type { Place, Values } from './places.js';

export function fishScript(places: readonly Place[]): string {
  const below = places.filter(({ path }) => path !== '');
  return `function __slipway_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${below.map(({ path }) => quoted(path)).join(' ')}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c slipway -f
${places.flatMap(lines).join('\n')}
`;
}

function lines({ path, commands, options, argument }: Place): string[] {
  const here = `complete -c slipway -n ${quoted(`__slipway_at ${quoted(path)}`)}`;
  return [
    ...commands.map(({ word, meaning }) => `${here} -a ${quoted(word)} -d ${quoted(meaning)}`),
    ...(commands.length > 0 || argument === 'any' || argument.length === 0 ? [] : [`${here}${offer(argument)}`]),
    ...options.map(
      ({ names, meaning, values }) =>
        `${here}${names.map(flag).join('')}${values === undefined ? '' : ` -r${offer(values)}`} -d ${quoted(meaning)}`,
    ),
  ];
}

const flag = (name: string) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`);

function offer(values: Values): string {
  if (values === 'files') return ' -F';
  if (values === 'any') return ' -f';
  const list = typeof values === 'string' ? `(slipway completion --${values} 2> /dev/null)` : values.join(' ');
  return ` -f -a ${quoted(list)}`;
}

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

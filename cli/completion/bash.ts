import type { Place, Values } from './places.js';

/** Where nothing is offered, bash falls back to the names of files. */
export function bashScript(places: readonly Place[]): string {
  const below = places.filter(({ path }) => path !== '');
  return `_slipway() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${below.map(({ path }) => quoted(path)).join(' | ')}) at+=" \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${places.flatMap(valueLines).join('\n')}
  esac
  case "$at,$cur" in
${places.flatMap(wordLines).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _slipway slipway
`;
}

function valueLines({ path, options }: Place): string[] {
  return options.flatMap(({ names, values }) => {
    if (values === undefined) return [];
    const at = names.map((name) => quoted(`${path} ${name}`)).join(' | ');
    const offer = words(values);
    return [`    ${at}) ${offer ? `COMPREPLY=($(compgen -W ${offer} -- "$cur"))` : ':'}; return ;;`];
  });
}

function wordLines({ path, commands, options, argument }: Place): string[] {
  const names = options.flatMap((option) => option.names).join(' ');
  const others = commands.length > 0 ? words(commands.map(({ word }) => word)) : words(argument);
  return [`    ${quoted(path)},-*) words=${quoted(names)} ;;`, `    ${quoted(path)},*) words=${others ?? "''"} ;;`];
}

function words(values: Values): string | undefined {
  if (values === 'servers' || values === 'images') return `"$(slipway completion --${values} 2> /dev/null)"`;
  return typeof values === 'string' ? undefined : quoted(values.join(' '));
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

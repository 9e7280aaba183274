import type { Place, Values } from './places.js';

/**
 * Where nothing is offered, bash falls back to the names of files. Names that a server sends are only quoted, never
 * given to compgen, which would run what is written in them.
 */
export function bashScript(places: readonly Place[]): string {
  const below = places.filter(({ path }) => path !== '');
  return `__slipway_known() {
  local name
  while IFS= read -r name; do
    printf -v name %q "$name"
    [[ $name == "$cur"* ]] && COMPREPLY+=("$name")
  done < <(slipway completion "$1" 2> /dev/null)
}
_slipway() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at='' i
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
}
complete -o bashdefault -o default -F _slipway slipway
`;
}

function valueLines({ path, options }: Place): string[] {
  return options.flatMap(({ names, values }) => {
    if (values === undefined) return [];
    return [`    ${names.map((name) => quoted(`${path} ${name}`)).join(' | ')}) ${offer(values)}; return ;;`];
  });
}

function wordLines({ path, commands, options, argument }: Place): string[] {
  const words = commands.map(({ word }) => word);
  return [
    `    ${quoted(path)},-*) ${offer(options.flatMap(({ names }) => names))} ;;`,
    `    ${quoted(path)},*) ${offer(words.length > 0 ? words : argument)} ;;`,
  ];
}

function offer(values: Values): string {
  if (values === 'files' || values === 'any') return ':';
  if (typeof values === 'string') return `__slipway_known --${values}`;
  return values.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(values.join(' '))} -- "$cur"))` : ':';
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

import type { Place, Values } from './places.js';

/** Good as a file `_slipway` in the fpath, and to be sourced. */
export function zshScript(places: readonly Place[]): string {
  const below = places.filter(({ path }) => path !== '');
  return `#compdef slipway
_slipway() {
  local at='' word
  local -a found
  for word in \${words[2,CURRENT-1]}; do
    case "$at $word" in
      (${below.map(({ path }) => quoted(path)).join('|')}) at+=" $word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${places.flatMap(valueLines).join('\n')}
  esac
  case "$at,$PREFIX" in
${places.flatMap(wordLines).join('\n')}
  esac
}
if [[ "$funcstack[1]" == _slipway ]]; then _slipway "$@"; else compdef _slipway slipway; fi
`;
}

function valueLines({ path, options }: Place): string[] {
  return options.flatMap(({ names, values }) => {
    if (values === undefined) return [];
    return [`    (${names.map((name) => quoted(`${path} ${name}`)).join('|')}) ${offer(values)}; return ;;`];
  });
}

function wordLines({ path, commands, options, argument }: Place): string[] {
  const described = options.flatMap(({ names, meaning }) => names.map((name) => quoted(`${name}:${meaning}`)));
  const words = commands.map(({ word, meaning }) => quoted(`${word}:${meaning}`));
  const others = words.length > 0 ? `found=(${words.join(' ')}); _describe command found` : offer(argument);
  return [
    `    (${quoted(path)},-*) found=(${described.join(' ')}); _describe option found ;;`,
    `    (${quoted(path)},*) ${others} ;;`,
  ];
}

function offer(values: Values): string {
  if (values === 'any') return ':';
  if (values === 'files') return '_files';
  if (typeof values === 'string') return `compadd -- \${(f)"$(slipway completion --${values} 2> /dev/null)"}`;
  return values.length > 0 ? `compadd -- ${values.map(quoted).join(' ')}` : ':';
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

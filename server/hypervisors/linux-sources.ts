import type { Host } from './host.js';

/**
 * Linux has no place of its own for the image servers that a node asks: they stand in a file, one a line, which only root
 * reads, as an address can hold a token. The directory is `/etc/slipway`, or that of SLIPWAY_ETC on the node.
 */
const directory = 'dir=$' + '{SLIPWAY_ETC:-/etc/slipway}';

const read = `${directory}
[ ! -e "$dir/sources" ] || cat -- "$dir/sources"`;

/** One name for all that write: what one has left is written over by the next. */
const write = `set -eu
${directory}
umask 077
mkdir -p -- "$dir"
trap 'rm -f -- "$dir/.sources.new"' EXIT
cat >"$dir/.sources.new"
sync -- "$dir/.sources.new" 2>/dev/null || sync
mv -f -- "$dir/.sources.new" "$dir/sources"`;

export async function readSources(host: Host, signal: AbortSignal): Promise<string[]> {
  const text = await host.run(['sh', '-c', read], { signal, most: 64 << 10 });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

export async function writeSources(host: Host, sources: readonly string[], signal: AbortSignal): Promise<void> {
  const text = ['# Written by Slipway: it is kept to what is configured there.', ...sources].join('\n');
  await host.run(['sh', '-c', write], { signal, input: `${text}\n` });
}

import type { Host, Words } from './host.js';
import type { PullOrder, Report } from './hypervisor.js';
import { unpacker } from './pack-on-node.js';

type Ordered = PullOrder['images'][number];

/**
 * curl | tee into size and digest | unpacker | sink, and a line a second that says how much has come. POSIX has no pipefail:
 * who is asked for is asked by itself. curl reads its address from standard input, as all can read what a command is given.
 */
const fetch = `set -u
scratch=$1 size=$2 sha1=$3 unpack=$4 room=$5; shift 5
mkdir -p -- "$scratch" || exit 1
free=$([ -z "$room" ] || df -Pk -- "$room" | sed -n '$s/.* \\([0-9][0-9]*\\)  *[0-9-][0-9-]*% .*/\\1/p')
if [ -n "$free" ] && [ "$free" -lt $((size / 1024)) ]; then
  echo "there is no room for it: $free KiB are free, and it has $((size / 1024))" >&2; exit 1
fi
exec 3<&0
mkfifo -- "$scratch/come" "$scratch/sum" "$scratch/count" || exit 1
{ if command -v sha1sum >/dev/null; then sha1sum; else openssl dgst -sha1 -r; fi; } <"$scratch/sum" >"$scratch/sum.is" 3<&- & sum=$!
wc -c <"$scratch/count" >"$scratch/count.is" 3<&- & count=$!
{
  tee "$scratch/sum" "$scratch/count" <"$scratch/come" |
    { $unpack; echo $? >"$scratch/unpack.is"; } |
    { "$@" >/dev/null; echo $? >"$scratch/sink.is"; }
} 3<&- & through=$!
curl --config - <&3 3<&- >"$scratch/come" & curl=$!
exec 3<&-
while sleep 1 >/dev/null 2>&1; do sed -n 's/^wchar: //p' "/proc/$curl/io" 2>/dev/null || exit; done & ticker=$!
wait $curl; come=$?
wait $through; wait $sum; wait $count
kill $ticker
failed=0
fail() { echo "$1" >&2; failed=1; }
said() { read -r word rest <"$scratch/$1.is" && echo "$word"; }
# Who can not write ends with 23: then the reason is further on.
[ $come = 0 ] || [ $come = 23 ] || fail "curl ended with $come"
[ $failed = 1 ] || [ "$(said sink)" = 0 ] || fail 'the node could not keep it'
[ $failed = 1 ] || [ $come = 0 ] || fail "curl ended with $come"
[ $failed = 1 ] || [ "$(said count)" = "$size" ] || fail "$(said count) bytes came, and it has $size"
[ $failed = 1 ] || [ "$(said sum)" = "$sha1" ] || fail "its sha1 is $(said sum), and should be $sha1"
[ $failed = 1 ] || [ "$(said unpack)" = 0 ] || fail 'it could not be unpacked'
rm -f -- "$scratch/come" "$scratch/sum" "$scratch/count" "$scratch"/*.is
exit $failed`;

const STALLED = 60;

export interface Fetching {
  source: string;
  bandwidth?: number;
  /** A directory of its own. */
  scratch: string;
  /** Where there must be room for it; asked nowhere where it is empty. */
  room?: string;
  /** Reads what was unpacked. */
  sink: Words;
}

/** The file of an image, from an IMGAPI into a command of the node; verified when it resolves, and else not to be used. */
export async function fetchOnNode(
  host: Host,
  image: Ordered,
  { source, bandwidth, scratch, room = scratch, sink }: Fetching,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<void> {
  const unpack = unpacker(image.compression).join(' ');
  const command: Words = ['sh', '-c', fetch, 'sh', scratch, `${image.size}`, image.sha1, unpack, room, ...sink];
  const input = configOf(`${source.replace(/\/+$/, '')}/images/${image.uuid}/file`, image.size, bandwidth);
  let tail = '';
  for await (const chunk of host.stream(command, { signal, input })) {
    const lines = (tail + Buffer.from(chunk).toString('latin1')).split('\n');
    tail = lines.pop()?.slice(-32) ?? '';
    const come = Number(lines.at(-1));
    if (Number.isSafeInteger(come) && lines.length > 0) report(Math.min(come, image.size));
  }
  report(image.size);
}

export function configOf(url: string, size: number, bandwidth: number | undefined): string {
  const lines = [
    `url = "${new URL(url).href.replace(/["\\]/g, encodeURIComponent)}"`,
    'fail',
    'silent',
    'show-error',
    'proto = "=http,https"',
    'connect-timeout = 30',
    'speed-limit = 1',
    `speed-time = ${STALLED}`,
    `max-filesize = ${size}`,
    ...(bandwidth === undefined ? [] : [`limit-rate = ${Math.max(1, Math.floor(bandwidth))}`]),
  ];
  return `${lines.join('\n')}\n`;
}

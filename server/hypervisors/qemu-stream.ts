import type { Host, Words } from './host.js';
import type { SendOptions } from './hypervisor.js';
import { packer } from './pack-on-node.js';
import { type DiskFile, optionOf } from './qemu-files.js';
import { clearScratch } from './scratch-on-node.js';

/**
 * A disk without all that it builds on, in one file. qemu-img can not write to its standard output: raw bytes come from
 * qemu-nbd where nbdcopy is there to read it, and all else from a file that lies there for as long as that takes.
 * It loses a SIGTERM that comes while it begins, as where nbdcopy ends at once, and refuses who comes before it listens,
 * when its socket is there already: a flag in /proc/net/unix tells, where that can be read.
 */
const send = `set -u
scratch=$1 format=$2 source=$3 id=$4 socket=\${TMPDIR:-/tmp}/\${1##*/}
if [ "$format" = raw ] && command -v qemu-nbd >/dev/null && command -v nbdcopy >/dev/null; then
  mkdir -m 700 -- "$socket" || exit 1
  qemu-nbd -r -k "$socket/nbd" \${id:+-l snapshot.id=$id} --image-opts "$source" </dev/null >&2 & server=$!
  until grep -qs " 00010000 .*/\${socket##*/}/nbd$" /proc/net/unix || { [ $? -gt 1 ] && [ -S "$socket/nbd" ]; }; do
    kill -0 $server 2>/dev/null || { wait $server; rm -rf -- "$socket"; exit 1; }
    sleep 0.02 2>/dev/null || sleep 1
  done
  nbdcopy "nbd+unix:///?socket=$socket/nbd" -; code=$?
  { kill -s KILL $server; wait $server; } 2>/dev/null
  rm -rf -- "$socket"
  exit $code
fi
need=$(qemu-img measure \${id:+-l snapshot.id=$id} -O "$format" --image-opts "$source") || exit 1
need=$(printf '%s\\n' "$need" | sed -n 's/^required size: *//p')
mkdir -p -m 700 -- "$scratch" || exit 1
free=$(df -Pk -- "$scratch" | sed -n '$s/.* \\([0-9][0-9]*\\)  *[0-9-][0-9-]*% .*/\\1/p')
if [ "\${free:-0}" -lt $((\${need:-0} / 1024)) ]; then
  echo "there is no room for a copy: $free KiB are free, and it takes $((need / 1024))" >&2; code=1
else
  qemu-img convert \${id:+-l snapshot.id=$id} -O "$format" --image-opts "$source" "$scratch/disk" >&2 && cat -- "$scratch/disk"; code=$?
fi
rm -rf -- "$scratch"
exit $code`;

export interface Sent {
  file: DiskFile;
  /** The number of a snapshot in it; the file as it is where there is none. */
  id?: string;
  scratch: string;
}

export async function* sendDisk(
  host: Host,
  { file, id = '', scratch }: Sent,
  { format, packing, signal }: SendOptions,
): AsyncGenerator<Uint8Array> {
  // What was killed here before has left it.
  await clearScratch(host, scratch);
  // A machine may be writing elsewhere in the file: what a snapshot holds does not change any more.
  const source = optionOf(file, 'force-share=on');
  const sender: Words = ['sh', '-c', send, 'sh', scratch, format ?? 'raw', source, id];
  let isDone = false;
  try {
    yield* host.stream({ pipe: [sender, ...packer(packing)] }, { signal });
    isDone = true;
  } finally {
    if (!isDone) await clearScratch(host, scratch);
  }
}

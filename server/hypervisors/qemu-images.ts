import { type Look, lookAt, TELLING } from '../../imgapi/disk-format.js';
import { fetchOnNode } from './fetch-on-node.js';
import { firstBytes } from './first-bytes.js';
import { CommandFailed, type Host } from './host.js';
import { type FoundImage, NotOnNode, NotOnPlatform, type PullOrder, type Report } from './hypervisor.js';
import { filesAt, type Place, placeNamed } from './linux-node.js';
import { formatOf, lookInto } from './qemu-files.js';
import { IMAGES, imageAt, type QemuMachines } from './qemu-machines.js';
import { clearScratch, scratchOf } from './scratch-on-node.js';

/** Images are files in a directory of a pool: `images/UUID.qcow2`, `images/UUID.raw`. */
const directoryOf = ({ path }: Place) => `${path}/${IMAGES}`;

async function imageFiles(host: Host, place: Place, signal: AbortSignal): Promise<Map<string, string>> {
  const files = await filesAt(host, [place], { depth: 2, names: ['*.qcow2', '*.raw', '*.img'] }, signal);
  const own = files.filter((path) => path.startsWith(`${directoryOf(place)}/`));
  return new Map(own.flatMap((path) => (imageAt(path) === undefined ? [] : [[imageAt(path) ?? '', path]])));
}

/** How many files build on one. */
const usersOf = (path: string, { files }: QemuMachines) =>
  [...files.values()].filter(({ backing }) => backing && 'path' in backing && backing.path === path);

export async function imagesAt(
  host: Host,
  places: readonly Place[],
  machines: QemuMachines,
  signal: AbortSignal,
): Promise<FoundImage[]> {
  const found: FoundImage[] = [];
  for (const place of places) {
    const paths = await imageFiles(host, place, signal);
    const files = [...paths.values()].map((path) => ({ path, format: formatOf(path) }));
    const takes = new Map((await lookInto(host, files, signal)).map((file) => [file.path, file.takes]));
    for (const [uuid, path] of paths) {
      found.push({ uuid, pool: place.name, size: takes.get(path) ?? 0, used: usersOf(path, machines).length });
    }
  }
  return found;
}

const isTaken = (type: string) => type === 'zvol' || type === 'other';

export async function pullImages(
  host: Host,
  node: string,
  places: readonly Place[],
  { images, pool, source, job, bandwidth }: PullOrder,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<void> {
  const place = placeNamed(places, pool, node);
  for (const { uuid, type, origin } of images) {
    if (!isTaken(type)) throw new NotOnPlatform(`qemu runs images of disks: ${uuid} is a ${type}`);
    if (origin !== undefined) throw new NotOnPlatform(`qemu takes whole images: ${uuid} is an increment to ${origin}`);
  }
  const scratch = scratchOf(place.path, job);
  const there = await imageFiles(host, place, signal);
  let come = 0;
  try {
    for (const image of images.filter(({ uuid }) => !there.has(uuid))) {
      await clearScratch(host, scratch);
      const file = `${scratch}/disk`;
      const sink = ['sh', '-c', write, 'sh', file] as const;
      const before = come;
      await fetchOnNode(
        host,
        image,
        { source, scratch, sink, ...(bandwidth !== undefined && { bandwidth }) },
        { signal, report: (bytes) => report(before + bytes) },
      );
      come += image.size;
      const format = await formatThere(host, file, image.uuid, signal);
      const target = `${directoryOf(place)}/${image.uuid}.${format}`;
      await host.run(['sh', '-c', keep, 'sh', file, target], { signal });
    }
  } finally {
    await clearScratch(host, scratch);
  }
}

// What is empty takes no room, where dd knows how.
const write = `if dd --help 2>&1 | grep -q sparse; then
  exec dd of="$1" bs=1048576 iflag=fullblock conv=sparse status=none
fi
exec cat >"$1"`;

// With the directory, where it can be told by itself.
const keep = `set -eu
directory=\${2%/*}
case $2 in *.raw)
  if [ $(($(wc -c <"$1") % 512)) -ne 0 ]; then echo 'it is no disk: it does not end with a sector' >&2; exit 1; fi
esac
mkdir -p -- "$directory"
sync -- "$1" 2>/dev/null || sync
mv -f -- "$1" "$2"
sync -- "$directory" 2>/dev/null || sync`;

/** As uploads are looked into: a disk that builds on files of the node would show them to whoever runs it. */
async function formatThere(host: Host, file: string, uuid: string, signal: AbortSignal): Promise<'raw' | 'qcow2'> {
  const look: Look = lookAt(await firstBytes(host, file, TELLING, signal));
  if ('refused' in look) throw new NotOnPlatform(`image ${uuid} can not be run by qemu: ${look.refused}`);
  const { format = 'raw' } = look;
  if (format === 'raw' || format === 'qcow2') return format;
  throw new NotOnPlatform(`image ${uuid} can not be run by qemu: its file is ${format}`);
}

// Who reads it, as the base of a disk does, has it open. By name: to look at what others have open can hang for ever.
const discard = `name=$(readlink -f -- "$1" | sed 's/[][*?\\\\]/\\\\&/g')
if [ -n "$(find /proc/[0-9]*/fd -maxdepth 1 -lname "$name" -print -quit 2>/dev/null)" ]; then
  echo 'a process has it open' >&2; exit 1
fi
rm -- "$1"`;

export async function removeImage(
  host: Host,
  { image, place }: { image: string; place: Place },
  machines: QemuMachines,
  signal: AbortSignal,
): Promise<void> {
  const path = (await imageFiles(host, place, signal)).get(image);
  if (path === undefined)
    throw new NotOnNode('image', `there is no image ${image} in pool ${place.name} of ${host.name}`);
  const [user] = usersOf(path, machines);
  if (user) throw new CommandFailed('rm', host.name, 1, `${user.path} builds on image ${image}`);
  await host.run(['sh', '-c', discard, 'sh', path], { signal });
}

import { DISK, IMAGES, type Subvolumes } from './btrfs-subvolumes.js';
import { fetchOnNode } from './fetch-on-node.js';
import { CommandFailed, type Host } from './host.js';
import { type FoundImage, NotOnNode, NotOnPlatform, type PullOrder, type Report } from './hypervisor.js';
import type { Place } from './linux-node.js';
import { clearScratch, scratchOf } from './scratch-on-node.js';

export const imagesIn = ({ images, machines }: Subvolumes): FoundImage[] =>
  images.map(({ uuid, place, subvolume }) => ({
    uuid,
    pool: place.name,
    used: machines.filter(({ base }) => base?.path === subvolume.path).length,
  }));

// Confined: a stream can make a link to anywhere, and then write behind it.
const receive = 'mkdir -p -- "$1" && exec btrfs receive -q -C "$1"';

// A subvolume that can not be written to can be renamed, but not moved: so the directory around it is.
const keep = `set -eu
scratch=$1 target=$2
count=0
for one in "$scratch"/in/* "$scratch"/in/.[!.]*; do
  [ ! -d "$one" ] || { count=$((count + 1)); came=$one; }
done
if [ $count -ne 1 ]; then echo "there are $count subvolumes in its stream, and should be one" >&2; exit 1; fi
[ "$came" = "$scratch/in/${DISK}" ] || mv -- "$came" "$scratch/in/${DISK}"
mkdir -p -- "\${target%/*}"
[ ! -d "$target/${DISK}" ] || exit 0
rm -rf -- "$target"
mv -- "$scratch/in" "$target"
btrfs filesystem sync "\${target%/*}" >/dev/null`;

export async function pullStreams(
  host: Host,
  place: Place,
  { images: there }: Subvolumes,
  { images, source, job, bandwidth }: PullOrder,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<void> {
  for (const { uuid, type } of images) {
    if (type !== 'other') throw new NotOnPlatform(`btrfs receives streams of its own: ${uuid} is a ${type}`);
  }
  const known = new Set(there.flatMap((image) => (image.place.path === place.path ? [image.uuid] : [])));
  const scratch = scratchOf(place.path, job);
  let come = 0;
  try {
    for (const image of images.filter(({ uuid }) => !known.has(uuid))) {
      await clearScratch(host, scratch);
      const before = come;
      await fetchOnNode(
        host,
        image,
        {
          source,
          scratch,
          sink: ['sh', '-c', receive, 'sh', `${scratch}/in`],
          ...(bandwidth !== undefined && { bandwidth }),
        },
        { signal, report: (bytes) => report(before + bytes) },
      );
      come += image.size;
      await host.run(['sh', '-c', keep, 'sh', scratch, `${place.path}/${IMAGES}/${image.uuid}`], { signal });
    }
  } finally {
    await clearScratch(host, scratch);
  }
}

const discard = `btrfs subvolume delete "$1/${DISK}" >/dev/null && rm -rf -- "$1"`;

export async function removeSubvolume(
  host: Host,
  { image, place }: { image: string; place: Place },
  { images, machines }: Subvolumes,
  signal: AbortSignal,
): Promise<void> {
  const found = images.find((one) => one.uuid === image && one.place.path === place.path);
  if (!found) throw new NotOnNode('image', `there is no image ${image} in pool ${place.name} of ${host.name}`);
  const user = machines.find(({ base }) => base?.path === found.subvolume.path);
  if (user) throw new CommandFailed('btrfs', host.name, 1, `${user.vm.hostname} was made of image ${image}`);
  await host.run(['sh', '-c', discard, 'sh', `${place.path}/${IMAGES}/${image}`], { signal });
}

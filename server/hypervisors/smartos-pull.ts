import { CommandFailed, type Words } from './host.js';
import { NotOnPlatform, type PullOrder, type Report } from './hypervisor.js';
import type { Zfs } from './zfs.js';

/** Long enough for a node that is busy. */
const PATIENCE = 30_000;

/** `imgadm import` brings the origins too, which it takes in whatever state they are. */
export async function pullImages(
  zfs: Zfs,
  { images, pool, source }: PullOrder,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<void> {
  const wanted = images.at(-1);
  if (!wanted) return;
  const odd = images.find(({ compression }) => !UNPACKED.has(compression));
  if (odd) throw new NotOnPlatform(`imgadm does not unpack ${odd.compression}, as image ${odd.uuid} is packed with`);
  const sizes = new Map(images.map(({ uuid, size }) => [uuid, size]));
  const command: Words = ['imgadm', 'import', '-q', '-P', pool, '-S', source, wanted.uuid];
  let come = 0;
  let isThere = false;
  try {
    for await (const line of linesOf(zfs.host.stream(command, { signal }))) {
      const [, imported, there] = THERE.exec(line) ?? [];
      const uuid = imported ?? there;
      if (uuid === undefined) continue;
      isThere ||= uuid === wanted.uuid;
      come += sizes.get(uuid) ?? 0;
      report(come);
    }
    if (!isThere) {
      throw new CommandFailed('imgadm', zfs.host.name, 0, `it does not say that image ${wanted.uuid} was imported`);
    }
  } catch (error) {
    await discard(zfs, images, pool);
    throw withoutSource(error, source);
  }
  report(images.reduce((sum, { size }) => sum + size, 0));
}

const UNPACKED: ReadonlySet<string> = new Set(['none', 'gzip', 'bzip2', 'xz']);

const THERE = /^(?:Imported image "?([0-9a-f-]{36})|Image "?([0-9a-f-]{36})\b.*is already installed)/;

/** What was being received when `imgadm` was killed; without being killed it leaves nothing. */
async function discard(zfs: Zfs, images: PullOrder['images'], pool: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE);
  // what is out of reach, the next import of that image begins by taking away
  for (const { uuid } of images) await zfs.discard(`${pool}/${uuid}-partial`, signal);
}

/** What the tool says may tell where it asks, and so the token of the node. */
function withoutSource(error: unknown, source: string): unknown {
  if (!(error instanceof CommandFailed)) return error;
  const { origin, pathname } = new URL(source);
  const path = pathname.replace(/\/+$/, '');
  if (path === '') return error;
  const said = error.said.replaceAll(`${origin}${path}`, origin).replaceAll(path, '');
  return new CommandFailed(error.command, error.host, error.code, said);
}

const LONGEST = 4096;

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let tail = '';
  for await (const chunk of chunks) {
    const lines = (tail + Buffer.from(chunk).toString('latin1')).split('\n');
    tail = lines.pop()?.slice(-LONGEST) ?? '';
    yield* lines;
  }
  if (tail !== '') yield tail;
}

import { isRecord } from '../../imgapi/checks.js';
import type { ImgapiClient, RemoteManifest } from '../../imgapi/client.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { AnsweredBadly } from '../../imgapi/exchange-errors.js';
import type { Stored } from '../../imgapi/image.js';
import { serialize } from '../../imgapi/serialize.js';
import { locate } from '../../storage/holdings.js';
import { LentReadable } from '../../storage/lent-readable.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import { type Progress, type Task, tasks } from '../model/task.js';
import { inAttempts } from './in-attempts.js';
import { clientOf } from './repositories.js';
import type { Work } from './work.js';

export interface CopyPlan {
  to: string;
  name?: string;
  datacenter?: string;
  /** What it builds on comes first, and itself last. */
  images: string[];
}

/** What has been made over there, as it is kept from one start of the server to the next. */
interface SoFar {
  made: string[];
}

interface Copying {
  deps: Deps;
  client: ImgapiClient;
  plan: CopyPlan;
  task: Task;
  work: Work;
  made: Set<string>;
}

/** In milliseconds; the other side may be restarted meanwhile. */
const PAUSES = [1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000];
const FAREWELL = 30_000;

/** An image onto another server, with all that it builds on. What was begun there and does not become whole goes again. */
export async function copyImage(deps: Deps, task: Task, work: Work): Promise<{ to: string; images: string[] }> {
  const plan = task.params as CopyPlan;
  const { made = [] } = isRecord(task.result) ? (task.result as Partial<SoFar>) : {};
  const client = clientOf(deps, plan.to);
  const copying: Copying = { deps, client, plan, task, work, made: new Set(made) };
  const wanted = await Promise.all(plan.images.map((uuid) => stillHere(deps, uuid)));
  const total = wanted.reduce((sum, { files }) => sum + (files[0]?.size ?? 0), 0);
  let done = 0;
  try {
    for (const image of wanted) {
      const report = (bytes: number) => work.report({ done: done + bytes, total, unit: 'bytes' });
      await inAttempts(PAUSES, work.signal, () => bring(copying, image, report));
      done += image.files[0]?.size ?? 0;
      await note(copying, { done, total, unit: 'bytes' });
    }
  } catch (error) {
    await withdraw(copying);
    throw toldOf(plan.to, error);
  }
  return { to: plan.to, images: plan.images };
}

/** The other side speaks of itself: whoever reads it here has to know that. */
function toldOf(to: string, error: unknown): unknown {
  if (!(error instanceof ImgapiError && error.cause instanceof AnsweredBadly)) return error;
  const { code, errors = [] } = error;
  const why = errors.flatMap(({ message }) => message ?? []).join('; ');
  const said = why === '' ? error.message : `${error.message} (${why})`;
  const what =
    code === 'UnauthorizedError' ? 'wants credentials: give it a secret that may write there' : `refused: ${said}`;
  return new ImgapiError(code, `repository ${to} ${what}`, { cause: error });
}

async function stillHere({ catalog }: Deps, uuid: string): Promise<RegisteredImage> {
  const image = await catalog.get(images, uuid);
  if (image?.files[0]) return image;
  throw new ImgapiError('ResourceNotFound', `image ${uuid} is not here any more`);
}

/** Goes on from whatever is there: nothing, an image that waits for its file, one that is whole. */
async function bring(copying: Copying, image: RegisteredImage, report: (bytes: number) => void): Promise<void> {
  const { client, plan, work, made } = copying;
  const { signal } = work;
  const there = await absentOr(client.getImage(image.uuid, { signal }));
  if (there && !made.has(image.uuid)) return checkSame(plan, image, there);
  if (!there) await make(copying, image);
  if (there?.state === 'active') return checkSame(plan, image, there);
  await sendFile(copying, image, report);
  if (image.icon) await sendIcon(copying, image.uuid, image.icon);
  await client.activate(image.uuid, { signal });
}

async function make(copying: Copying, image: RegisteredImage): Promise<void> {
  const { client, plan, made } = copying;
  const { signal } = copying.work;
  const manifest = manifestOf(image);
  // Noted first: what is made and not known of would stay there for ever.
  made.add(image.uuid);
  await note(copying);
  const { name, datacenter: dc } = plan;
  if (name !== undefined && image.uuid === plan.images.at(-1)) {
    const json = { manifest, ...(dc !== undefined && { dc }) };
    await client.exchange.json('POST', `/api/image/${encodeURIComponent(name)}`, { json, signal });
  } else {
    await client.importImage(image.uuid, manifest, { dc, signal });
  }
}

/** What the task goes on from after a restart. */
async function note({ deps, task, work, made }: Copying, told?: Progress): Promise<void> {
  await deps.catalog.write(async (tx) => {
    const progress = told ?? (await tx.get(tasks, task.id))?.progress ?? { done: 0 };
    await work.keep(tx, { progress, result: { made: [...made] } satisfies SoFar });
  });
}

/** Who sees it here, and whose it is, is for the other side to say. */
function manifestOf(image: RegisteredImage): RemoteManifest {
  const { files, state, acl, icon, owner, disabled, error, ...manifest } = serialize(image, {
    mode: 'dc',
    channels: false,
    admin: false,
  });
  return manifest;
}

async function sendFile(
  { deps, client, work, plan }: Copying,
  image: RegisteredImage,
  report: (bytes: number) => void,
) {
  const [file] = image.files;
  if (!file) throw new ImgapiError('ResourceNotFound', `image ${image.uuid} has no file any more`);
  const { compression, dataset_guid, sha1, size } = file;
  const options = { compression, sha1, size, ...(dataset_guid !== undefined && { dataset_guid }), signal: work.signal };
  const answered = await client.addImageFile(
    image.uuid,
    new LentReadable(counted(await bytesOf(deps, file), report)),
    options,
  );
  checkSame(plan, image, answered);
}

async function sendIcon({ deps, client, work }: Copying, uuid: string, icon: NonNullable<RegisteredImage['icon']>) {
  const { contentType, sha1, size } = icon;
  await client.putIcon(uuid, new LentReadable(await bytesOf(deps, icon)), {
    contentType,
    sha1,
    size,
    signal: work.signal,
  });
}

async function bytesOf({ catalog, blobs }: Deps, { sha256 }: Pick<Stored, 'sha256'>) {
  const found = await locate(catalog, sha256);
  const chunks = found && (await blobs.read(found.key));
  if (!chunks) throw new ImgapiError('StorageIsDown', `content ${sha256} is recorded, but its bytes are not there`);
  return chunks;
}

async function* counted(chunks: AsyncIterable<Uint8Array>, report: (bytes: number) => void) {
  let bytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    report(bytes);
  }
}

/** Both sides must mean the same bytes by the same uuid. */
function checkSame({ to }: CopyPlan, { uuid, files: [file] }: RegisteredImage, there: RemoteManifest): void {
  const [other] = Array.isArray(there.files) ? there.files : [];
  if (isRecord(other) && other.sha1 === file?.sha1 && other.size === file?.size) return;
  throw new ImgapiError('RemoteSourceError', `${to} has another file in image ${uuid} than this server`);
}

/** When the server stops, the task goes on at its next start; otherwise nothing half done stays over there. */
async function withdraw({ deps, client, task, work, made }: Copying): Promise<void> {
  const now = await deps.catalog.get(tasks, task.id);
  if (work.signal.aborted && now?.status !== 'REVOKED') return;
  const signal = AbortSignal.timeout(FAREWELL);
  for (const uuid of [...made].reverse()) {
    try {
      const there = await absentOr(client.getImage(uuid, { signal }));
      if (there && there.state !== 'active') await client.deleteImage(uuid, { signal });
    } catch (err) {
      deps.log.warn(
        { err, uuid, task: task.id },
        'an image that was begun on another server could not be removed there',
      );
    }
  }
}

/** What the other side has, or nothing where it says that it has no such thing. */
export async function absentOr<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'ResourceNotFound') return undefined;
    throw error;
  }
}

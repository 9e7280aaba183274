import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isRecord } from '../../imgapi/checks.js';
import { type FieldError, ImgapiError, validationFailed } from '../../imgapi/errors.js';
import {
  DIGEST,
  type ImageManifest,
  parseRepository,
  type Repository,
  splitReference,
  TAG,
} from '../../storage/registry.js';
import { manifestTypes, readManifest, Unfit } from '../../storage/registry-manifest.js';
import type { Deps } from '../deps.js';
import { uuidOfChain } from '../model/chain-uuid.js';
import { shortIdOf } from '../model/docker-image.js';
import { progress, type Say, status, telling } from '../model/pull-line.js';
import type { DockerWish, Login } from './docker-wish.js';
import { findContent } from './find-content.js';
import { findImage, findOwnImage, type Target } from './find-image.js';
import { reachRepository } from './import-docker.js';
import { inAttempts } from './in-attempts.js';

/** What is pushed, checked as far as that takes no registry. */
export interface Push {
  repo: DockerWish['repo'];
  tag: string;
  login: Login | undefined;
  manifest: ImageManifest;
  text: string;
  mediaType: string;
  config: string;
  /** Of which repository the image came, where it tells. */
  from: string | undefined;
}

/** The image has to be what the manifest names: its layers, and those below it. */
export async function readPush(
  { catalog }: Deps,
  target: Target,
  repoAndTag: string | undefined,
  body: unknown,
): Promise<Omit<Push, 'login'>> {
  const image = await findOwnImage(catalog, target);
  if (image.type !== 'docker') throw wrong('type', 'Invalid', 'only docker images can be pushed');
  if (!repoAndTag) throw wrong('repoAndTag', 'MissingParameter', 'repoAndTag is missing');
  const { repo: name, reference } = splitReference(repoAndTag);
  const repo = parseRepository(name);
  if (!repo || !TAG.test(reference)) throw wrong('repoAndTag', 'Invalid', `repoAndTag "${repoAndTag}" is not REPO:TAG`);
  const { manifest_str: text, image: described, config_digest } = isRecord(body) ? body : {};
  if (typeof text !== 'string') throw wrong('manifest_str', 'MissingParameter', 'manifest_str is missing');
  if (!isRecord(described)) throw wrong('image', 'MissingParameter', 'image is missing');
  const manifest = manifestOf(text);
  if (config_digest !== undefined && config_digest !== manifest.config.digest) {
    throw wrong('config_digest', 'Invalid', 'config_digest is not that of the manifest');
  }
  if (uuidOfChain(manifest.layers.map(({ digest }) => digest)) !== image.uuid) {
    throw wrong('manifest_str', 'Invalid', `the layers of the manifest are not those of image ${image.uuid}`);
  }
  const config = configOf(described, manifest.config.digest);
  const { 'docker:repo': from } = image.tags ?? {};
  return {
    repo,
    tag: reference,
    manifest,
    text,
    mediaType: mediaTypeOf(text),
    config,
    from: typeof from === 'string' ? from : undefined,
  };
}

const wrong = (field: string, code: FieldError['code'], message: string) =>
  validationFailed([{ field, code, message }], 'the image can not be pushed');

function manifestOf(text: string): ImageManifest {
  try {
    const read = readManifest(text);
    if (!('platform' in read)) return read;
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw wrong('manifest_str', 'Invalid', `the manifest ${error.message}`);
  }
  throw wrong('manifest_str', 'Invalid', 'the manifest is a list of manifests');
}

function mediaTypeOf(text: string): string {
  const { mediaType } = JSON.parse(text) as { mediaType?: unknown };
  const [, , oci = '', docker = ''] = manifestTypes;
  if (typeof mediaType === 'string' && [oci, docker].includes(mediaType)) return mediaType;
  return text.includes('application/vnd.oci.image.config') ? oci : docker;
}

/** As it was written: by us, or in Go, which spells some letters in another way. */
function configOf(image: Record<string, unknown>, digest: string): string {
  const plain = JSON.stringify(image);
  const inGo = plain.replace(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const found = [plain, inGo].find((text) => `sha256:${createHash('sha256').update(text).digest('hex')}` === digest);
  if (found !== undefined) return found;
  throw wrong('image', 'Invalid', `image is not what the digest of the configuration says, ${digest}`);
}

interface Course {
  signal: AbortSignal;
  say: Say;
}

/** What the registry has not is sent, base first; the manifest last, which makes the tag. */
export async function performPush(deps: Deps, target: Target, push: Push, { signal, say }: Course): Promise<void> {
  const { repo, login, tag, manifest, text, mediaType, config } = push;
  const beside = besideOf(push);
  const repository = await reachRepository(deps, target, { repo, login }, 'push', beside);
  say(status(`The push refers to repository [${repo.canonical}]`));
  const chain: string[] = [];
  for (const layer of manifest.layers) {
    chain.push(layer.digest);
    const id = shortIdOf(layer.digest);
    say(progress(id, 'Preparing'));
    if (await repository.has(layer.digest, signal)) say(progress(id, 'Layer already exists'));
    else if (beside !== undefined && (await repository.mount(layer.digest, signal))) {
      say(progress(id, `Mounted from ${beside}`));
    } else {
      await uploadLayer(deps, { ...target, uuid: uuidOfChain(chain) }, repository, layer, { signal, say });
      say(progress(id, 'Pushed'));
    }
  }
  const described = { digest: manifest.config.digest, size: Buffer.byteLength(config) };
  if (!(await repository.has(described.digest, signal))) {
    await repository.upload(described, async () => Readable.from([Buffer.from(config)]), signal);
  }
  await repository.putManifest(tag, { text, mediaType }, signal);
  const digest = createHash('sha256').update(text).digest('hex');
  say(status(`${tag}: digest: sha256:${digest} size: ${Buffer.byteLength(text)}`));
}

/** Another repository of the same registry, from which the image came: its layers are there already. */
function besideOf({ from, repo }: Push): string | undefined {
  const origin = from === undefined ? undefined : parseRepository(from);
  return origin?.registry === repo.registry && origin.path !== repo.path ? origin.path : undefined;
}

async function uploadLayer(
  deps: Deps,
  target: Target,
  repository: Repository,
  { digest }: { digest: string },
  { signal, say }: Course,
): Promise<void> {
  const image = await findImage(deps.catalog, target);
  const [file] = image.files;
  if (!DIGEST.test(digest) || file === undefined || `sha256:${file.sha256}` !== digest) {
    throw new ImgapiError('NotImplemented', `image ${image.uuid} does not keep the layer ${digest} as it came`);
  }
  const { key, size } = await findContent(deps, file);
  const tell = telling(say, shortIdOf(digest), 'Pushing', size, deps.now());
  const open = async () => {
    const chunks = await deps.blobs.read(key);
    if (!chunks) throw new ImgapiError('StorageIsDown', `the file of image ${image.uuid} can not be read`);
    return Readable.from(told(chunks, tell), { objectMode: false });
  };
  await inAttempts(deps.policy.registries.pauses, signal, () => repository.upload({ digest, size }, open, signal));
}

/** Chunks are lent to us, and the socket keeps them for longer than that. */
async function* told(chunks: AsyncIterable<Uint8Array>, tell: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    yield Buffer.from(chunk);
    tell(bytes);
  }
}

import { isRecord } from '../../imgapi/checks.js';
import type { Draft } from '../../imgapi/draft.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { type Compression, UNSET_OWNER } from '../../imgapi/image.js';
import { uuidOfChain } from './chain-uuid.js';

/** What a registry says of a layer. */
interface Part {
  mediaType: string;
  digest: string;
  size: number;
}

/** A layer of a container's image, which is an image of its own here. */
export interface DockerLayer extends Part {
  uuid: string;
  /** As command lines show it. */
  shortId: string;
  compression: Compression;
  /** It comes packed in a way that manifests can not tell of, and is packed anew. */
  repack: boolean;
  /** Of what the file holds when it is unpacked. */
  uncompressedDigest?: string;
  /** As a manifest to import. */
  draft: Draft;
}

const MOST_DESCRIBED = 10_240;

/** How the files of layers are compressed. */
const compressionOf = new Map<string, Compression>([
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.bzip2', 'bzip2'],
  ['application/vnd.docker.image.rootfs.diff.tar.xz', 'xz'],
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
]);

const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';

interface Named {
  /** As people shorten the name of the repository. */
  repo: string;
  tag?: string | undefined;
  public: boolean;
}

export const shortIdOf = (digest: string) => digest.replace('sha256:', '').slice(0, 12);

export const tagKey = (tag: string) => `docker:tag:${tag}`;

/** An image for each layer, base first; the last one is what machines are made of. */
export function layersOf(parts: readonly Part[], config: Record<string, unknown>, named: Named): DockerLayer[] {
  const rootfs = isRecord(config.rootfs) ? config.rootfs.diff_ids : undefined;
  const diffs = Array.isArray(rootfs) ? rootfs : [];
  if (diffs.length !== parts.length) {
    throw unsupported(`its configuration tells of ${diffs.length} layers where there are ${parts.length}`);
  }
  const steps = stepsOf(config, parts.length);
  const chain: string[] = [];
  return parts.map((part, index) => {
    const origin = chain.length === 0 ? undefined : uuidOfChain(chain);
    chain.push(part.digest);
    const repack = part.mediaType === ZSTD;
    const compression = repack ? 'gzip' : compressionOf.get(part.mediaType);
    if (!compression) throw unsupported(`a layer is of type "${part.mediaType.slice(0, 100)}"`);
    const isHead = index === parts.length - 1;
    const uuid = uuidOfChain(chain);
    const uncompressed = diffs[index];
    return {
      ...part,
      uuid,
      shortId: shortIdOf(part.digest),
      compression,
      repack,
      ...(typeof uncompressed === 'string' && { uncompressedDigest: uncompressed }),
      draft: {
        ...draftOf(part.digest, isHead ? config : steps[index], config, named),
        uuid,
        ...(origin !== undefined && { origin }),
        tags: tagsOf(part.digest, config, named, isHead),
      },
    };
  });
}

/** What has made each layer: steps that made none have a place in the history all the same. */
function stepsOf({ history }: Record<string, unknown>, layers: number): (Record<string, unknown> | undefined)[] {
  const steps = Array.isArray(history) ? history.filter(isRecord).filter((step) => step.empty_layer !== true) : [];
  return steps.length === layers ? steps : [];
}

function draftOf(
  digest: string,
  step: Record<string, unknown> | undefined,
  config: Record<string, unknown>,
  named: Named,
): Draft {
  const created = dateOf(step?.created);
  const description = describe(step).slice(0, MOST_DESCRIBED);
  return {
    v: 2,
    owner: UNSET_OWNER,
    name: 'docker-layer',
    version: shortIdOf(digest),
    public: named.public,
    ...(created !== undefined && { published_at: created }),
    type: 'docker',
    os: config.os === 'linux' ? 'linux' : 'other',
    ...(description !== '' && { description }),
  };
}

function describe(step: Record<string, unknown> = {}): string {
  const { comment, created_by, container_config } = step;
  if (typeof comment === 'string' && comment !== '') return comment;
  const command = isRecord(container_config) ? container_config.Cmd : created_by;
  const words = [command].flat().filter((word) => typeof word === 'string');
  return words.join(' ');
}

function tagsOf(digest: string, config: Record<string, unknown>, { repo, tag }: Named, isHead: boolean) {
  const { architecture, config: run } = config;
  return {
    'docker:repo': repo,
    'docker:id': digest,
    ...(typeof architecture === 'string' && { 'docker:architecture': architecture }),
    ...(isHead && tag !== undefined && { [tagKey(tag)]: true }),
    ...(isHead && isRecord(run) && { 'docker:config': chosen(run) }),
  };
}

const chosen = (run: Record<string, unknown>) =>
  Object.fromEntries(
    ['Cmd', 'Entrypoint', 'Env', 'WorkingDir'].filter((key) => run[key] !== undefined).map((key) => [key, run[key]]),
  );

function dateOf(value: unknown): string | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  const isPlain = time >= Date.parse('0001-01-01T00:00:00Z') && time <= Date.parse('9999-12-31T23:59:59Z');
  return isPlain ? new Date(time).toISOString() : undefined;
}

const unsupported = (why: string) => new ImgapiError('NotImplemented', `the image can not be taken: ${why}`);

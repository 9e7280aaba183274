import { isRecord } from '../../imgapi/checks.js';
import { Exchange } from '../../imgapi/exchange.js';
import type { Simplestreams, StreamFile, StreamImage, StreamsOptions } from '../simplestreams.js';
import { httpFile } from './http-file.js';
import { smallBody } from './small-body.js';

const MOST_OF_AN_INDEX = 4 << 20;
const MOST_OF_A_CATALOG = 32 << 20;
const MOST_CATALOGS = 10;
const REDIRECTS = 5;
const ARCH = 'amd64';

type Item = Record<string, unknown>;

/** What makes an image whole: its root filesystem, and which digest of the metadata covers both. The first that is there is taken. */
const roots = [
  ['squashfs', 'combined_squashfs_sha256'],
  ['root.tar.xz', 'combined_rootxz_sha256'],
] as const;
const metadata = ['lxd.tar.xz', 'incus.tar.xz'];
const combined = ['lxd_combined.tar.gz', 'incus_combined.tar.gz'];

const SHA256 = /^[0-9a-f]{64}$/;

export function openSimplestreams({ url, reach, patience }: StreamsOptions): Simplestreams {
  const exchange = new Exchange({ ...reach(url), url, patience });
  const document = async (path: string, most: number, signal: AbortSignal): Promise<Item> => {
    const answer = await exchange.send('GET', `/${path}`, { signal, redirects: REDIRECTS });
    const text = (await smallBody(exchange, answer, most)).toString();
    try {
      const value: unknown = JSON.parse(text);
      if (isRecord(value)) return value;
    } catch (cause) {
      throw exchange.answeredBadly(answer.status, `has ${path}, which is no JSON`, cause);
    }
    throw exchange.answeredBadly(answer.status, `has ${path}, which is no JSON object`);
  };
  return {
    find: async (alias, signal) => {
      const { index } = await document('streams/v1/index.json', MOST_OF_AN_INDEX, signal);
      const paths = Object.values(isRecord(index) ? index : {})
        .filter(offersImages)
        .map(({ path }) => path);
      for (const path of paths.slice(0, MOST_CATALOGS)) {
        const { products } = await document(path, MOST_OF_A_CATALOG, signal);
        const found = pick(isRecord(products) ? products : {}, alias);
        if (found) return found;
      }
      return undefined;
    },
    file: ({ path }) =>
      httpFile(exchange, `${new URL(url).host}, ${path}`, `/${encoded(path)}`, { redirects: REDIRECTS }),
  };
}

const encoded = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** Streams for clouds name images that lie elsewhere. */
const offersImages = (stream: unknown): stream is { path: string } =>
  isRecord(stream) && stream.datatype === 'image-downloads' && isInside(stream.path);

/** Below the server's URL, and nowhere else. */
const isInside = (path: unknown): path is string =>
  typeof path === 'string' && /^[\w:+~@-]/.test(path) && !/[\\?#]|:\/\//.test(path) && !path.split('/').includes('..');

const text = (value: unknown) => (typeof value === 'string' ? value : '');

function pick(products: Item, alias: string): StreamImage | undefined {
  for (const [product, value] of Object.entries(products)) {
    if (!isRecord(value) || !isMeant(product, value, alias)) continue;
    const versions = isRecord(value.versions) ? Object.entries(value.versions) : [];
    // By their names, which begin with a date.
    for (const [version, told] of versions.sort(([one], [other]) => (one < other ? 1 : -1))) {
      const found = isRecord(told) ? filesOf(told) : undefined;
      if (!found) continue;
      const pubname = isRecord(told) ? text(told.pubname) : '';
      return {
        product,
        version,
        ...(pubname !== '' && { pubname }),
        os: text(value.os),
        release: text(value.release),
        releaseTitle: text(value.release_title),
        arch: text(value.arch),
        aliases: text(value.aliases),
        ...found,
      };
    }
  }
  return undefined;
}

function isMeant(product: string, { arch, aliases }: Item, alias: string): boolean {
  if (product === alias) return true;
  return text(aliases)
    .split(',')
    .map((one) => one.trim())
    .some((one) => one !== '' && ((one === alias && arch === ARCH) || `${one}/${text(arch)}` === alias));
}

/** None where the version has nothing that a container could be made of. */
function filesOf({ items }: Item): Pick<StreamImage, 'fingerprint' | 'files'> | undefined {
  const known = isRecord(items) ? Object.values(items).filter(isRecord) : [];
  const of = (types: readonly string[]) =>
    types.map((type) => known.find(({ ftype }) => ftype === type)).find((item) => item !== undefined);
  const whole = of(combined);
  if (whole && isFile(whole)) return { fingerprint: whole.sha256, files: [fileOf(whole)] };
  const described = of(metadata);
  if (!described || !isFile(described)) return undefined;
  for (const [type, covering] of roots) {
    const root = of([type]);
    const fingerprint = described[covering] ?? (type === 'root.tar.xz' ? described.combined_sha256 : undefined);
    if (!root || !isFile(root) || typeof fingerprint !== 'string' || !SHA256.test(fingerprint)) continue;
    return { fingerprint, files: [fileOf(described), fileOf(root)] };
  }
  return undefined;
}

const isFile = (item: Item): item is Item & StreamFile =>
  isInside(item.path) && SHA256.test(text(item.sha256)) && Number.isSafeInteger(item.size) && Number(item.size) > 0;

const fileOf = ({ ftype, path, sha256, size }: Item & StreamFile): StreamFile => ({
  ftype: text(ftype),
  path,
  sha256,
  size,
});

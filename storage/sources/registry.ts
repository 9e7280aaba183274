import { Readable } from 'node:stream';
import { isRecord } from '../../imgapi/checks.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { type Answer, type Call, type Credentials, Exchange, type ExchangeOptions } from '../../imgapi/exchange.js';
import {
  type Descriptor,
  DIGEST,
  type PulledManifest,
  type RegistryOptions,
  type Repository,
  type RepositoryName,
  registryUrl,
} from '../registry.js';
import { manifestTypes, readManifest, Unfit } from '../registry-manifest.js';
import type { RemoteFile } from '../sources.js';
import { openedFrom, rangeHeaders } from './http-file.js';
import { credentialsFor } from './registry-login.js';
import { sha256Of, smallBody } from './small-body.js';

/** Registries take no larger manifests themselves. */
const MOST_OF_A_DOCUMENT = 4 << 20;
/** From a registry to where its blobs lie. */
const REDIRECTS = 5;

interface Ask extends Omit<Call, 'upload' | 'json'> {
  /** Opened anew where it has to be sent again. */
  body?: (() => Promise<Readable>) | undefined;
  signal: AbortSignal;
}

export function openRegistry(name: RepositoryName, options: RegistryOptions): Repository {
  return new DistributionRepository(name, options);
}

class DistributionRepository implements Repository {
  readonly #url: URL;
  readonly #options: RegistryOptions;
  readonly #server: ExchangeOptions;
  readonly #login: RegistryOptions['login'];
  #credentials: Credentials | undefined;
  #renewing: Promise<Credentials | undefined> | undefined;

  constructor(
    readonly name: RepositoryName,
    options: RegistryOptions,
  ) {
    this.#url = new URL(registryUrl(name, options.insecure));
    this.#options = options;
    this.#server = { ...options.reach(this.#url.origin), url: this.#url.origin, patience: options.patience };
    const kept = this.#server.credentials;
    this.#login = options.login ?? (kept?.kind === 'basic' ? kept : undefined);
    // Names and passwords wait until they are asked for, as most registries want them elsewhere.
    if (!options.login && kept?.kind === 'bearer') this.#credentials = kept;
  }

  async manifest(reference: string, signal: AbortSignal): Promise<PulledManifest> {
    const { read, ...pulled } = await this.#document(reference, signal);
    if (!('platform' in read)) return { ...pulled, ...read };
    const { read: inner, ...chosen } = await this.#document(read.platform.digest, signal);
    if ('platform' in inner) throw this.#unfit(read.platform.digest, 'is a list within a list');
    return { ...chosen, ...inner };
  }

  async text(blob: Descriptor, signal: AbortSignal): Promise<string> {
    if (blob.size > MOST_OF_A_DOCUMENT)
      throw this.#unfit(blob.digest, `has ${blob.size} bytes, too many for a document`);
    const exchange = this.#exchange();
    const answer = await this.#send('GET', this.#blobPath(blob.digest), { signal, redirects: REDIRECTS, ...anything });
    const bytes = await smallBody(exchange, answer, MOST_OF_A_DOCUMENT);
    if (`sha256:${sha256Of(bytes)}` !== blob.digest) throw this.#unfit(blob.digest, 'is not what its digest says');
    return bytes.toString();
  }

  blob({ digest }: Pick<Descriptor, 'digest' | 'size'>): RemoteFile {
    return {
      what: `${this.name.canonical}, blob ${digest}`,
      // What is called by its digest never changes: no mark is needed to go on with it.
      open: async ({ from }, signal) => {
        const headers = rangeHeaders(from, undefined);
        const call = { headers, signal, redirects: REDIRECTS };
        return openedFrom(this.#exchange(), await this.#send('GET', this.#blobPath(digest), call), from);
      },
    };
  }

  async has(digest: string, signal: AbortSignal): Promise<boolean> {
    const call = { signal, answers: [404], redirects: REDIRECTS, ...anything };
    const { status } = await this.#emptied(this.#send('HEAD', this.#blobPath(digest), call));
    return status === 200;
  }

  async mount(digest: string, signal: AbortSignal): Promise<boolean> {
    const { beside } = this.#options;
    if (beside === undefined || beside === this.name.path) return false;
    const query = new URLSearchParams({ mount: digest, from: beside });
    const answer = await this.#emptied(this.#send('POST', `${this.#path}/blobs/uploads/?${query}`, { signal }));
    if (answer.status === 201) return true;
    // An upload has begun instead, which nobody will go on with.
    await this.#leave(answer, signal);
    return false;
  }

  async upload(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    open: () => Promise<Readable>,
    signal: AbortSignal,
  ): Promise<void> {
    const begun = await this.#emptied(this.#send('POST', `${this.#path}/blobs/uploads/`, { signal }));
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
    const sent = await this.#emptied(
      this.#sendTo('PATCH', this.#locationIn(begun, this.#url), { headers, body: open, signal }),
    );
    const last = this.#locationIn(sent, this.#url);
    last.searchParams.set('digest', digest);
    const done = { headers: { 'content-length': '0' }, signal };
    await this.#emptied(this.#sendTo('PUT', last, done));
  }

  async putManifest(reference: string, { text, mediaType }: { text: string; mediaType: string }, signal: AbortSignal) {
    const body = async () => Readable.from([Buffer.from(text)]);
    const headers = { 'content-type': mediaType, 'content-length': String(Buffer.byteLength(text)) };
    await this.#emptied(this.#send('PUT', `${this.#path}/manifests/${reference}`, { headers, body, signal }));
  }

  get #path(): string {
    return `/v2/${this.name.path}`;
  }

  #blobPath = (digest: string) => `${this.#path}/blobs/${digest}`;

  #exchange = (options = this.#server) => new Exchange(options);

  async #document(reference: string, signal: AbortSignal) {
    const headers = { accept: manifestTypes.join(', ') };
    const path = `${this.#path}/manifests/${reference}`;
    const answer = await this.#send('GET', path, { headers, signal, redirects: REDIRECTS, answers: [404] });
    if (answer.status === 404) {
      answer.body.destroy();
      throw this.#unfit(reference, 'is not there, or not for us to see', 404);
    }
    const bytes = await smallBody(this.#exchange(), answer, MOST_OF_A_DOCUMENT);
    const digest = `sha256:${sha256Of(bytes)}`;
    const promised = DIGEST.test(reference) ? reference : answer.headers['docker-content-digest'];
    if (promised?.startsWith('sha256:') && promised !== digest)
      throw this.#unfit(reference, 'is not what its digest says');
    const text = bytes.toString();
    try {
      const [mediaType = ''] = (answer.headers['content-type'] ?? '').split(';');
      return { text, digest, mediaType: mediaType.trim(), read: readManifest(text) };
    } catch (cause) {
      if (cause instanceof Unfit) throw this.#unfit(reference, cause.message, answer.status, cause);
      throw cause;
    }
  }

  /** Asked once without credentials, or with those of before, and once more with what the registry asks for then. */
  #send(method: string, path: string, call: Ask): Promise<Answer> {
    return this.#sendTo(method, new URL(this.#url.origin + path), call);
  }

  async #sendTo(method: string, url: URL, { body, ...call }: Ask): Promise<Answer> {
    const isOwn = url.origin === this.#url.origin;
    const once = async (credentials: Credentials | undefined): Promise<Answer> => {
      const { credentials: _, ...server } = this.#server;
      const exchange = this.#exchange({ ...server, url: url.origin, ...(isOwn && credentials && { credentials }) });
      const upload = body && (await body());
      const answers = [...(call.answers ?? []), 401];
      return exchange.send(method, url.pathname + url.search, { ...call, answers, ...(upload && { upload }) });
    };
    try {
      const used = this.#credentials;
      const first = await once(used);
      if (first.status !== 401) return first;
      first.body.destroy();
      const credentials = isOwn ? await this.#renewed(used, first, call.signal) : undefined;
      const second = credentials && (await once(credentials));
      if (second && second.status !== 401) return second;
      second?.body.destroy();
    } catch (error) {
      throw fromRegistry(error);
    }
    const what = this.#login ? 'does not take the name and password' : 'wants a name and a password';
    throw this.#exchange().answeredBadly(401, `${what} for ${this.name.canonical}`);
  }

  /** Several that are told at once that their token is of yesterday ask for one new one. */
  async #renewed(used: Credentials | undefined, { headers }: Answer, signal: AbortSignal) {
    if (used !== this.#credentials) return this.#credentials;
    const { access, beside } = this.#options;
    const actions = access === 'push' ? 'pull,push' : 'pull';
    const scopes = [
      `repository:${this.name.path}:${actions}`,
      ...(beside === undefined || beside === this.name.path ? [] : [`repository:${beside}:pull`]),
    ];
    const login = { server: this.#server, login: this.#login, scopes, signal };
    this.#renewing ??= credentialsFor(headers['www-authenticate'] ?? '', login).finally(() => {
      this.#renewing = undefined;
    });
    this.#credentials = await this.#renewing;
    return this.#credentials;
  }

  async #emptied(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    await smallBody(this.#exchange(), answer, MOST_OF_A_DOCUMENT);
    return answer;
  }

  #locationIn({ status, headers }: Answer, base: URL): URL {
    const { location = '' } = headers;
    const url = location !== '' && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
    const isFit =
      url && (url.protocol === 'https:' || url.protocol === base.protocol) && !url.username && !url.password;
    if (url && isFit) return url;
    throw this.#exchange().answeredBadly(status, 'does not say where the blob is to be sent');
  }

  async #leave(answer: Answer, signal: AbortSignal): Promise<void> {
    if (answer.headers.location === undefined) return;
    const url = this.#locationIn(answer, this.#url);
    await this.#emptied(this.#sendTo('DELETE', url, { signal })).catch((error: unknown) => {
      if (signal.aborted) throw error; // else it is the registry's to tidy up
    });
  }

  #unfit(what: string, why: string, status = 200, cause?: unknown) {
    return this.#exchange().answeredBadly(status, `(${this.name.path}): ${what} ${why}`, cause);
  }
}

const anything = { headers: { accept: '*/*' } };

/** A registry may answer in the words of an image server: what it refuses is its failure, not one of ours. */
function fromRegistry(error: unknown): unknown {
  if (!(error instanceof ImgapiError) || error.code === 'RemoteSourceError') return error;
  return isRecord(error.cause) || error.cause instanceof Error
    ? error.cause
    : new ImgapiError('RemoteSourceError', error.message, { cause: error });
}

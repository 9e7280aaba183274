import type { Agent } from 'node:http';
import { Readable } from 'node:stream';
import fetch, { type Response } from 'node-fetch';
import { type Channel, checkChannels } from './channels.js';
import { isRecord } from './checks.js';
import { type ErrorCode, errors, type FieldError, ImgapiError } from './errors.js';
import type { Compression } from './image.js';
import type { RawQuery } from './query.js';
import { Watchdog } from './watchdog.js';

export interface ClientOptions {
  /** May have a path, which is kept, and a `?channel=`, which holds wherever a call names no other. */
  url: string;
  token?: string;
  userAgent?: string;
  signal?: AbortSignal;
  acceptVersion?: string;
  /** How long the server may be silent, in milliseconds. */
  patience?: number;
  agent?: Agent | ((url: URL) => Agent | undefined);
}

export interface CallOptions {
  channel?: string;
  account?: string;
  signal?: AbortSignal;
}

export interface FileOptions extends CallOptions {
  /** First and last byte, both included. */
  range?: { start: number; end?: number };
  ifRange?: string;
}

export interface UploadOptions extends CallOptions {
  compression: Compression;
  sha1?: string;
  size?: number;
  dataset_guid?: string;
}

export interface IconOptions extends CallOptions {
  contentType: string;
  sha1?: string;
  size?: number;
}

export type RemoteManifest = Record<string, unknown>;

/** What the server sent. Whoever gets it reads the body to its end, or destroys it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Readable;
}

interface Call extends CallOptions {
  query?: RawQuery;
  headers?: Record<string, string | undefined>;
  json?: unknown;
  upload?: Readable;
}

const PATIENCE = 120_000;
const MAX_JSON = 256 * 1024 ** 2;
const MAX_REFUSAL = 1024 ** 2;
const PAGE = 1000;

/** Asks an IMGAPI. Refuses with what the server refused with, or RemoteSourceError when it does not speak IMGAPI. */
export class ImgapiClient {
  readonly #base: string;
  readonly #channel: string | undefined;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    const { origin, pathname, searchParams } = new URL(options.url);
    this.#base = origin + pathname.replace(/\/+$/, '');
    this.#channel = searchParams.get('channel') || undefined;
    this.#options = options;
  }

  async ping(options: CallOptions = {}): Promise<RemoteManifest> {
    const pong = await this.#manifest('GET', '/ping', options);
    if (!pong.imgapi) throw this.#failed('is no image server');
    return pong;
  }

  async channels(options: CallOptions = {}): Promise<Channel[]> {
    const channels = await this.#list('/channels', options);
    try {
      return checkChannels(channels);
    } catch (cause) {
      throw this.#failed('sent channels that are none', cause);
    }
  }

  /** Without a limit in the query, pages through all that there is. */
  async *listImages(query: RawQuery = {}, options: CallOptions = {}): AsyncGenerator<RemoteManifest, void, undefined> {
    const whole = query.limit === undefined;
    let marker: string | undefined;
    for (;;) {
      const paging = marker === undefined ? {} : { limit: String(PAGE), marker };
      const page = await this.#list('/images', { ...options, query: { ...query, ...paging } });
      const last = page.at(-1)?.uuid;
      // nothing new: the end, or a server that knows no markers and would repeat itself for ever
      if (marker !== undefined && last === marker) return;
      yield* marker !== undefined && page[0]?.uuid === marker ? page.slice(1) : page;
      if (!whole || page.length < PAGE || typeof last !== 'string') return;
      marker = last;
    }
  }

  getImage(uuid: string, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('GET', imagePath(uuid), options);
  }

  getImageFile(uuid: string, { range, ifRange, ...options }: FileOptions = {}): Promise<Answer> {
    const headers = { range: range && `bytes=${range.start}-${range.end ?? ''}`, 'if-range': ifRange };
    return this.#send('GET', `${imagePath(uuid)}/file`, { ...options, headers });
  }

  createImage(manifest: RemoteManifest, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('POST', '/images', { ...options, json: manifest });
  }

  importImage(
    uuid: string,
    manifest: RemoteManifest,
    { skipOwnerCheck, ...options }: CallOptions & { skipOwnerCheck?: boolean } = {},
  ): Promise<RemoteManifest> {
    const query = { skip_owner_check: skipOwnerCheck ? 'true' : undefined };
    return this.#act(uuid, 'import', { ...options, query, json: manifest });
  }

  addImageFile(uuid: string, stream: Readable, options: UploadOptions): Promise<RemoteManifest> {
    const { compression, sha1, size, dataset_guid, ...call } = options;
    return this.#manifest('PUT', `${imagePath(uuid)}/file`, {
      ...call,
      query: { compression, sha1, dataset_guid },
      headers: { 'content-type': 'application/octet-stream', 'content-length': size?.toString() },
      upload: stream,
    });
  }

  activate(uuid: string, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#act(uuid, 'activate', options);
  }

  disable(uuid: string, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#act(uuid, 'disable', options);
  }

  enable(uuid: string, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#act(uuid, 'enable', options);
  }

  update(uuid: string, changes: RemoteManifest, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#act(uuid, 'update', { ...options, json: changes });
  }

  addToAcl(uuid: string, accounts: string[], options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('POST', `${imagePath(uuid)}/acl`, { ...options, query: { action: 'add' }, json: accounts });
  }

  removeFromAcl(uuid: string, accounts: string[], options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('POST', `${imagePath(uuid)}/acl`, {
      ...options,
      query: { action: 'remove' },
      json: accounts,
    });
  }

  putIcon(
    uuid: string,
    stream: Readable,
    { contentType, sha1, size, ...options }: IconOptions,
  ): Promise<RemoteManifest> {
    const headers = { 'content-type': contentType, 'content-length': size?.toString() };
    return this.#manifest('PUT', `${imagePath(uuid)}/icon`, { ...options, query: { sha1 }, headers, upload: stream });
  }

  getIcon(uuid: string, options: CallOptions = {}): Promise<Answer> {
    return this.#send('GET', `${imagePath(uuid)}/icon`, options);
  }

  deleteIcon(uuid: string, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('DELETE', `${imagePath(uuid)}/icon`, options);
  }

  /** From its last channel, or from all of them, an image is deleted; else it just leaves the channel. */
  async deleteImage(
    uuid: string,
    { forceAllChannels, ...options }: CallOptions & { forceAllChannels?: boolean } = {},
  ): Promise<void> {
    const query = { force_all_channels: forceAllChannels ? 'true' : undefined };
    const { body } = await this.#send('DELETE', imagePath(uuid), { ...options, query });
    body.resume();
  }

  #act(uuid: string, action: string, call: Call): Promise<RemoteManifest> {
    return this.#manifest('POST', imagePath(uuid), { ...call, query: { ...call.query, action } });
  }

  async #manifest(method: string, path: string, call: Call): Promise<RemoteManifest> {
    const value = await this.#json(await this.#send(method, path, call));
    if (!isRecord(value)) throw this.#failed('sent no JSON object');
    return value;
  }

  async #list(path: string, call: Call): Promise<RemoteManifest[]> {
    const value = await this.#json(await this.#send('GET', path, call));
    if (!Array.isArray(value) || !value.every(isRecord)) throw this.#failed('sent no list of objects');
    return value;
  }

  async #json({ body }: Answer): Promise<unknown> {
    const text = await this.#text(body, MAX_JSON);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.#failed('sent no JSON', cause);
    }
  }

  async #text(body: Readable, max: number): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > max) throw this.#failed(`sent more than ${max} bytes of JSON`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  /** One exchange: it can be cancelled, follows nobody elsewhere, and gives up on a server that falls silent. */
  async #send(method: string, path: string, call: Call): Promise<Answer> {
    const watchdog = new Watchdog(this.#options.patience ?? PATIENCE);
    const cancelled = AbortSignal.any([this.#options.signal, call.signal].filter((signal) => signal !== undefined));
    const explain = (cause: unknown) => this.#explain(cause, { cancelled, watchdog, upload: call.upload });
    cancelled.throwIfAborted();
    const response = await watchdog
      .during(
        fetch(this.#base + path + this.#search(call), {
          method,
          headers: this.#headers(call),
          body: bodyOf(call, watchdog),
          signal: AbortSignal.any([cancelled, watchdog.signal]),
          agent: this.#options.agent,
          redirect: 'manual',
          compress: false,
        }),
      )
      .catch((cause: unknown) => {
        throw explain(cause);
      });
    const answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: watched(response, watchdog, explain),
    };
    if (response.ok && isPlain(answer)) return answer;
    try {
      throw await this.#refusal(answer);
    } finally {
      call.upload?.destroy();
    }
  }

  #search({ query, channel = this.#channel, account }: Call): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, channel, account })) {
      for (const one of [value].flat()) if (one !== undefined) search.append(name, one);
    }
    return search.size > 0 ? `?${search}` : '';
  }

  #headers({ json, headers }: Call): Record<string, string> {
    const { token, userAgent, acceptVersion = '~2' } = this.#options;
    const all = {
      accept: 'application/json',
      'accept-version': acceptVersion,
      'user-agent': userAgent ?? 'slipway',
      authorization: token && `Bearer ${token}`,
      'content-type': json === undefined ? undefined : 'application/json',
      ...headers,
    };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** Who cancelled learns why; who sent gets the failure of what was sent; all else is the server's doing. */
  #explain(
    cause: unknown,
    { cancelled, watchdog, upload }: { cancelled: AbortSignal; watchdog: Watchdog; upload: Readable | undefined },
  ): unknown {
    if (cancelled.aborted) return cancelled.reason;
    if (upload?.errored) return upload.errored;
    const reason: unknown = watchdog.signal.aborted ? watchdog.signal.reason : cause;
    const told = this.#withoutPath(reason);
    return this.#failed(`failed: ${told.message}`, told);
  }

  async #refusal(answer: Answer): Promise<ImgapiError> {
    const text = await this.#text(answer.body, MAX_REFUSAL);
    const { code, message, errors: fields } = parsed(text);
    const what = `answered ${answer.status} ${typeof code === 'string' ? code : ''}`.trimEnd();
    if (!isErrorCode(code)) return this.#failed(what, new Error(text.slice(0, 1000)));
    return new ImgapiError(code, String(message ?? what), {
      ...(Array.isArray(fields) && { errors: fields.filter(isFieldError) }),
      cause: this.#failed(what),
    });
  }

  #failed(what: string, cause?: unknown): ImgapiError {
    return new ImgapiError('RemoteSourceError', `${new URL(this.#base).host} ${what}`, { cause });
  }

  /** node-fetch quotes the URL, and the path may hold a token: it must reach neither clients nor logs. */
  #withoutPath(err: unknown): Error {
    const message = err instanceof Error ? err.message : String(err);
    const code = err instanceof Error && 'code' in err ? { code: err.code } : {};
    return Object.assign(new Error(message.replaceAll(this.#base, new URL(this.#base).origin)), code);
  }
}

const imagePath = (uuid: string) => `/images/${encodeURIComponent(uuid)}`;

/** Sizes and digests are those of the bytes as they are, so a body that was encoded on the way is of no use. */
const isPlain = ({ headers }: Answer) => (headers['content-encoding'] ?? 'identity') === 'identity';

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errors, code);

const isFieldError = (value: unknown): value is FieldError =>
  isRecord(value) && typeof value.field === 'string' && typeof value.code === 'string';

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function bodyOf({ json, upload }: Call, watchdog: Watchdog): Readable | string | null {
  if (upload) return Readable.from(sending(upload, watchdog), { objectMode: false });
  return json === undefined ? null : JSON.stringify(json);
}

/** Time that is spent waiting for our own side is not held against the server. */
async function* sending(upload: Readable, watchdog: Watchdog): AsyncGenerator<Buffer> {
  watchdog.rest();
  try {
    for await (const chunk of upload) {
      watchdog.stir();
      yield chunk;
      watchdog.rest();
    }
  } finally {
    watchdog.rest();
  }
  watchdog.stir();
}

function watched({ body }: Response, watchdog: Watchdog, explain: (cause: unknown) => unknown): Readable {
  if (!(body instanceof Readable)) return Readable.from([]);
  const chunks = body[Symbol.asyncIterator]();
  // an abort reaches bodies that nobody reads as well
  body.on('error', () => {});
  return new Readable({
    read() {
      watchdog.during(chunks.next()).then(
        ({ done, value }) => this.push(done ? null : value),
        (cause: unknown) => this.destroy(asError(explain(cause))),
      );
    },
    destroy(cause, done) {
      body.destroy();
      done(cause);
    },
  });
}

const asError = (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause)));

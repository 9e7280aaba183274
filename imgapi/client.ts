import type { Readable } from 'node:stream';
import { type Channel, checkChannels } from './channels.js';
import { isRecord } from './checks.js';
import { type Answer, type Call, Exchange, type ExchangeOptions } from './exchange.js';
import type { ImageFile } from './image.js';
import { jsonElements, NoArray } from './json-elements.js';
import type { RawQuery } from './query.js';

/** The url may have a `?channel=`, which holds wherever a call names no other. */
export type ClientOptions = ExchangeOptions;

export interface CallOptions {
  channel?: string;
  account?: string;
  signal?: AbortSignal;
}

export interface MakeOptions extends CallOptions {
  /** The data center to which the image belongs, where several may be meant. */
  dc?: string | undefined;
}

/** How much is taken, and whether others are asked where the server says so. */
export interface FetchOptions extends CallOptions, Pick<Call, 'most' | 'redirects'> {}

export interface FileOptions extends FetchOptions {
  /** First and last byte, both included. */
  range?: { start: number; end?: number };
  ifRange?: string;
  /** From the store that has the bytes, where the server sends us there. */
  redirect?: boolean | undefined;
}

export interface UploadOptions extends CallOptions {
  compression: ImageFile['compression'];
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

export interface ListOptions extends CallOptions, Pick<Call, 'redirects'> {
  caps?: Partial<ListCaps>;
}

/** What a list may have at most, however it is paged: a server can send for ever. */
export interface ListCaps {
  bytes: number;
  count: number;
  /** The bytes of one manifest. */
  each: number;
}

const CAPS: ListCaps = { bytes: 256 << 20, count: 1_000_000, each: 16 << 20 };

type ImageCall = Call & CallOptions;

const PAGE = 1000;

/** Asks an IMGAPI. Refuses with what the server refused with, or RemoteSourceError when it does not speak IMGAPI. */
export class ImgapiClient {
  /** For what a server can do beyond the IMGAPI. */
  readonly exchange: Exchange;
  readonly #channel: string | undefined;

  constructor(options: ClientOptions) {
    this.exchange = new Exchange(options);
    this.#channel = new URL(options.url).searchParams.get('channel') || undefined;
  }

  async ping(options: CallOptions = {}): Promise<RemoteManifest> {
    const pong = await this.#manifest('GET', '/ping', options);
    if (!pong.imgapi) throw this.exchange.answeredBadly(200, 'is no image server');
    return pong;
  }

  async channels(options: CallOptions = {}): Promise<Channel[]> {
    const channels = await this.#list('/channels', options);
    try {
      return checkChannels(channels);
    } catch (cause) {
      throw this.exchange.answeredBadly(200, 'sent channels that are none', cause);
    }
  }

  /** Without a limit in the query, pages through all that there is; each image comes once, as it comes. */
  async *listImages(
    query: RawQuery = {},
    { caps, ...options }: ListOptions = {},
  ): AsyncGenerator<RemoteManifest, void, undefined> {
    const whole = query.limit === undefined;
    const seen = new Set<unknown>();
    const left = { ...CAPS, ...caps };
    let marker: string | undefined;
    for (;;) {
      const paging = marker === undefined ? {} : { limit: String(PAGE), marker };
      let length = 0;
      let last: unknown;
      for await (const image of this.#elements('/images', { ...options, query: { ...query, ...paging } }, left)) {
        length += 1;
        if (image.uuid !== undefined && seen.has(image.uuid)) continue;
        seen.add(image.uuid);
        last = image.uuid;
        yield image;
      }
      // nothing new: the end, or a server that knows no markers and would repeat itself for ever
      if (!whole || length < PAGE || typeof last !== 'string') return;
      marker = last;
    }
  }

  getImage(uuid: string, options: FetchOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('GET', imagePath(uuid), options);
  }

  getImageFile(uuid: string, { range, ifRange, redirect, ...options }: FileOptions = {}): Promise<Answer> {
    // what the store calls the bytes is not what we do; they never change there
    const condition = redirect ? undefined : ifRange;
    const headers = { range: range && `bytes=${range.start}-${range.end ?? ''}`, 'if-range': condition };
    const led = redirect ? { query: { redirect: '1' }, redirects: 1 } : {};
    return this.#send('GET', `${imagePath(uuid)}/file`, { ...options, ...led, headers });
  }

  createImage(manifest: RemoteManifest, { dc, ...options }: MakeOptions = {}): Promise<RemoteManifest> {
    return this.#manifest('POST', '/images', { ...options, query: { dc }, json: manifest });
  }

  importImage(
    uuid: string,
    manifest: RemoteManifest,
    { skipOwnerCheck, dc, ...options }: MakeOptions & { skipOwnerCheck?: boolean } = {},
  ): Promise<RemoteManifest> {
    const query = { dc, skip_owner_check: skipOwnerCheck ? 'true' : undefined };
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

  /** Puts the image into one more channel; the options' channel is where it is found. */
  channelAdd(uuid: string, channel: string, options: CallOptions = {}): Promise<RemoteManifest> {
    return this.#act(uuid, 'channel-add', { ...options, json: { channel } });
  }

  /** A copy that belongs to the account, which must be in the image's access list. */
  cloneImage(uuid: string, options: CallOptions & { account: string }): Promise<RemoteManifest> {
    return this.#manifest('POST', `${imagePath(uuid)}/clone`, options);
  }

  putIcon(
    uuid: string,
    stream: Readable,
    { contentType, sha1, size, ...options }: IconOptions,
  ): Promise<RemoteManifest> {
    const headers = { 'content-type': contentType, 'content-length': size?.toString() };
    return this.#manifest('PUT', `${imagePath(uuid)}/icon`, { ...options, query: { sha1 }, headers, upload: stream });
  }

  getIcon(uuid: string, options: FetchOptions = {}): Promise<Answer> {
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
    // there is nothing to read in it, nor to fail at
    body.destroy();
  }

  #act(uuid: string, action: string, call: ImageCall): Promise<RemoteManifest> {
    return this.#manifest('POST', imagePath(uuid), { ...call, query: { ...call.query, action } });
  }

  async #manifest(method: string, path: string, call: ImageCall): Promise<RemoteManifest> {
    const value = await this.exchange.json(method, path, this.#addressed(call));
    if (!isRecord(value)) throw this.exchange.answeredBadly(200, 'sent no JSON object');
    return value;
  }

  async #list(path: string, call: ImageCall): Promise<RemoteManifest[]> {
    const value = await this.exchange.json('GET', path, this.#addressed(call));
    if (!Array.isArray(value) || !value.every(isRecord)) {
      throw this.exchange.answeredBadly(200, 'sent no list of objects');
    }
    return value;
  }

  /** As they come, and no more than is left of what may come. */
  async *#elements(path: string, call: ImageCall, left: ListCaps): AsyncGenerator<RemoteManifest> {
    const { status, body } = await this.exchange.send('GET', path, this.#addressed(call));
    const bad = (what: string, cause?: unknown) => this.exchange.answeredBadly(status, what, cause);
    const counted = async function* () {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        left.bytes -= chunk.length;
        if (left.bytes < 0) throw bad('sent more bytes than a list may have');
        yield chunk;
      }
    };
    try {
      for await (const text of jsonElements(counted(), left.each)) {
        left.count -= 1;
        if (left.count < 0) throw bad('sent more images than a list may have');
        const image: unknown = JSON.parse(text);
        if (!isRecord(image)) throw bad('sent no list of objects');
        yield image;
      }
    } catch (cause) {
      if (cause instanceof NoArray) throw bad(`sent ${cause.message}`, cause);
      throw cause instanceof SyntaxError ? bad('sent no JSON', cause) : cause;
    } finally {
      body.destroy();
    }
  }

  #send(method: string, path: string, call: ImageCall): Promise<Answer> {
    return this.exchange.send(method, path, this.#addressed(call));
  }

  #addressed({ query, channel = this.#channel, account, ...call }: ImageCall): Call {
    return { ...call, query: { ...query, channel, account } };
  }
}

const imagePath = (uuid: string) => `/images/${encodeURIComponent(uuid)}`;

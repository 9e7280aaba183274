import type { Agent } from 'node:http';
import { Readable } from 'node:stream';
import fetch, { type Response } from 'node-fetch';
import { isRecord } from './checks.js';
import { type ErrorCode, errors, type FieldError, ImgapiError } from './errors.js';
import { AnsweredBadly, Barred, barring, reasonOf, Unreachable, wasStale } from './exchange-errors.js';
import type { RawQuery } from './query.js';
import { Watchdog } from './watchdog.js';

export interface ExchangeOptions {
  /** May have a path, which is kept. */
  url: string;
  token?: string;
  /** What proves who asks, where a token is not all. */
  credentials?: Credentials;
  /** Proves who asks: the headers to add to this request. The path is the one on the wire, with its query. */
  sign?: (request: Signable) => Promise<Record<string, string>>;
  userAgent?: string;
  signal?: AbortSignal;
  acceptVersion?: string;
  /** How long the server may be silent, in milliseconds. */
  patience?: number;
  agent?: Agent | ((url: URL) => Agent | undefined);
}

export type Credentials = { kind: 'bearer'; token: string } | { kind: 'basic'; user: string; password: string };

export interface Signable {
  method: string;
  path: string;
  /** As in the Host header. */
  host: string;
  headers: Record<string, string>;
}

export interface Call {
  query?: RawQuery;
  headers?: Record<string, string | undefined>;
  json?: unknown;
  /** The body instead of JSON. It is destroyed when the call fails. */
  upload?: Readable;
  /** Statuses from 300 on that are no refusals here. */
  answers?: readonly number[];
  /** So many bytes of JSON are taken. */
  most?: number;
  /** So many redirects are followed; none, unless this is given. */
  redirects?: number;
  signal?: AbortSignal | undefined;
}

/** What the server sent. Whoever gets it reads the body to its end, or destroys it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Readable;
}

const PATIENCE = 120_000;
const MAX_JSON = 256 * 1024 ** 2;
const MAX_REFUSAL = 1024 ** 2;

/** So many connections that were closed while they were idle are tried before it counts as the server's failure. */
const STALE_IN_A_ROW = 5;

/** Asks one server over HTTP: what it refuses is thrown as it says, what else goes wrong as RemoteSourceError. */
export class Exchange {
  readonly #base: string;
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    const { origin, pathname } = new URL(options.url);
    this.#base = origin + pathname.replace(/\/+$/, '');
    this.#options = options;
  }

  /** What the server has to say in JSON; nothing for an answer that has no content. */
  async json(method: string, path: string, call: Call = {}): Promise<unknown> {
    const answer = await this.send(method, path, call);
    const text = await this.#text(answer, call.most ?? MAX_JSON);
    if (answer.status === 204) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.answeredBadly(answer.status, 'sent no JSON', cause);
    }
  }

  /** It can be cancelled, follows nobody elsewhere, and gives up on a server that falls silent. */
  async send(method: string, path: string, call: Call = {}): Promise<Answer> {
    try {
      const answer = await this.#follow(method, this.#base + path + searchOf(call), call);
      if (answer.status >= 300 && !call.answers?.includes(answer.status)) throw await this.#refusal(answer);
      if (isPlain(answer)) return answer;
      answer.body.destroy();
      throw this.answeredBadly(answer.status, `encodes its answers as ${answer.headers['content-encoding']}`);
    } catch (error) {
      call.upload?.destroy();
      throw error;
    }
  }

  /** For a body of which only the caller knows that it should have been longer. */
  endedEarly(): Unreachable {
    return this.#unreachable(Object.assign(new Error('the body ended early'), { code: 'ECONNRESET' }));
  }

  answeredBadly(answered: number, what: string, cause?: unknown): AnsweredBadly {
    return new AnsweredBadly(answered, `${new URL(this.#base).host} ${what}`, { cause });
  }

  /** To where the answer leads, as often as the call allows. */
  async #follow(method: string, first: string, call: Call): Promise<Answer> {
    const { redirects = 0, headers } = call;
    let url = new URL(first);
    let proving = true;
    let answer = await this.#ask(method, first, call, proving);
    for (let left = redirects; left >= 0 && leadsOn(method, answer, call); left -= 1) {
      const next = nextOf(url, answer);
      if (redirects === 0 || !next) return answer;
      answer.body.destroy();
      if (left === 0) throw this.answeredBadly(answer.status, `redirects more than ${redirects} times`);
      if (url.protocol === 'https:' && next.protocol === 'http:' && this.#proves(headers)) {
        throw this.answeredBadly(answer.status, `leads from TLS to plain HTTP at ${next.host}`);
      }
      // Once elsewhere, nothing that is for the first one is told again.
      proving = proving && next.origin === url.origin;
      answer = await this.#ask(
        method,
        next.href,
        proving ? call : { ...call, headers: withoutProof(headers) },
        proving,
      );
      url = next;
    }
    return answer;
  }

  #proves(headers: Call['headers'] = {}): boolean {
    const { token, credentials, sign } = this.#options;
    const isGiven = token !== undefined || credentials !== undefined || sign !== undefined;
    return isGiven || Object.keys(headers).some((name) => proofs.has(name.toLowerCase()));
  }

  async #ask(method: string, url: string, call: Call, proving: boolean): Promise<Answer> {
    for (let left = onlyReads(method, call) ? STALE_IN_A_ROW : 0; ; left -= 1) {
      try {
        return await this.#askOnce(method, url, call, proving);
      } catch (error) {
        if (left === 0 || !wasStale(error)) throw error;
      }
    }
  }

  async #askOnce(method: string, url: string, call: Call, proving: boolean): Promise<Answer> {
    const watchdog = new Watchdog(this.#options.patience ?? PATIENCE);
    const cancelled = AbortSignal.any([this.#options.signal, call.signal].filter((signal) => signal !== undefined));
    cancelled.throwIfAborted();
    const explain = (cause: unknown) => this.#explain(cause, { cancelled, watchdog, upload: call.upload });
    const plain = this.#headers(call, proving);
    const headers = proving ? await this.#signed(method, new URL(url), plain) : plain;
    const response = await watchdog
      .during(
        fetch(url, {
          method,
          headers,
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
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: watched(response, watchdog, explain),
    };
  }

  #headers({ json, headers }: Call, proving: boolean): Record<string, string> {
    const { token, credentials, userAgent, acceptVersion = '~2' } = this.#options;
    const all = {
      accept: 'application/json',
      'accept-version': acceptVersion,
      'user-agent': userAgent ?? 'slipway',
      authorization: proving ? (token ? `Bearer ${token}` : credentials && authorizationOf(credentials)) : undefined,
      'content-type': json === undefined ? undefined : 'application/json',
      ...headers,
    };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  async #signed(method: string, url: URL, headers: Record<string, string>): Promise<Record<string, string>> {
    const { sign } = this.#options;
    if (!sign) return headers;
    return { ...headers, ...(await sign({ method, path: url.pathname + url.search, host: url.host, headers })) };
  }

  async #text({ status, body }: Answer, max: number): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > max) throw this.answeredBadly(status, `sent more than ${max} bytes of JSON`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  /** Who cancelled learns why; who sent gets the failure of what was sent; all else is the server's doing. */
  #explain(
    cause: unknown,
    { cancelled, watchdog, upload }: { cancelled: AbortSignal; watchdog: Watchdog; upload: Readable | undefined },
  ): unknown {
    if (cancelled.aborted) return cancelled.reason;
    if (upload?.errored) return upload.errored;
    return this.#unreachable(this.#withoutPath(watchdog.signal.aborted ? watchdog.signal.reason : cause));
  }

  #unreachable(cause: Error): Unreachable {
    const { host } = new URL(this.#base);
    const barred = barring(cause);
    if (barred !== undefined) return new Barred(`${host} failed: ${barred}`, { cause });
    return new Unreachable(`${host} failed: ${reasonOf(cause)}`, { cause });
  }

  async #refusal(answer: Answer): Promise<ImgapiError> {
    const text = this.#withoutProof(await this.#text(answer, MAX_REFUSAL));
    const { code, message, errors: fields } = parsed(text);
    const what = `answered ${answer.status} ${typeof code === 'string' ? code : targetOf(answer)}`.trimEnd();
    if (!isErrorCode(code)) return this.answeredBadly(answer.status, what, new Error(text.slice(0, 1000)));
    return new ImgapiError(code, String(message ?? what), {
      ...(Array.isArray(fields) && { errors: fields.filter(isFieldError) }),
      cause: this.answeredBadly(answer.status, what),
    });
  }

  /** Servers repeat what they were told, and what they say is told on. */
  #withoutProof(text: string): string {
    const { token, credentials } = this.#options;
    const told = [
      token,
      ...(credentials ? [authorizationOf(credentials).replace('Basic ', '')] : []),
      ...(credentials ? [credentials.kind === 'bearer' ? credentials.token : credentials.password] : []),
    ];
    const spelled = told.filter((one) => one).flatMap((one) => [String(one), JSON.stringify(one).slice(1, -1)]);
    return spelled.reduce((left, one) => left.replaceAll(one, '…'), text);
  }

  /** node-fetch quotes the URL, and its path or query may hold a token: it must reach neither clients nor logs. */
  #withoutPath(err: unknown): Error {
    const { origin } = new URL(this.#base);
    const text = err instanceof Error ? err.message : String(err);
    // of where a redirect led, no more than the server
    const message = text.replaceAll(/https?:\/\/\S+/g, (url) => (url.startsWith(origin) ? url : originOf(url)));
    const code = err instanceof Error && 'code' in err ? { code: err.code } : {};
    return Object.assign(new Error(message.replaceAll(this.#base, origin).replaceAll(/\?\S+/g, '')), code);
  }
}

function searchOf({ query = {} }: Call): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined) search.append(name, one);
  }
  return search.size > 0 ? `?${search}` : '';
}

function authorizationOf(credentials: Credentials): string {
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
}

/** Headers that prove who asks. */
const proofs: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

const withoutProof = (headers: Call['headers'] = {}) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !proofs.has(name.toLowerCase())));

const leading: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** What changes something is sent to nobody else. */
const leadsOn = (method: string, { status }: Answer, { answers }: Call) =>
  leading.has(status) && !answers?.includes(status) && reading.has(method);

/** What changes something is never sent twice: nobody knows how much of it was done. */
const onlyReads = (method: string, { json, upload }: Call) => reading.has(method) && json === undefined && !upload;

function nextOf(from: URL, { headers: { location } }: Answer): URL | undefined {
  const next = location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (!next || !['http:', 'https:'].includes(next.protocol)) return undefined;
  next.username = '';
  next.password = '';
  next.hash = '';
  return next;
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : '…');

/** Where a redirect leads: to which server only, as the path may hold a token. */
function targetOf({ headers: { location = '' } }: Answer): string {
  return URL.canParse(location) ? `and leads to ${new URL(location).origin}` : '';
}

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
    // left to itself, the loop would fail the stream when it is the server that fails
    for await (const chunk of upload.iterator({ destroyOnReturn: false })) {
      watchdog.stir();
      yield chunk;
      watchdog.rest();
    }
  } finally {
    watchdog.rest();
    upload.destroy();
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

import { prefix } from '../base.js';
import { heard } from './clock.js';

/** What the server said instead of doing what it was asked, in its own words. */
export class Refusal extends Error {
  override name = 'Refusal';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** By field, what is wrong with it. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** The tag that the object has now, where somebody else has changed it. */
    readonly tag?: string,
  ) {
    super(message);
  }
}

/** Nothing came back: the server is gone, or the network. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

export interface Answer<T> {
  result: T;
  /** Of lists that come in pages. */
  total?: number;
  /** Of lists that nobody has counted: behind which row the next part begins. */
  next?: string;
  task?: string;
  status: 'PENDING' | 'STARTED' | 'SUCCESS' | 'FAILURE' | 'REVOKED';
  tag?: string;
}

type Query = Record<string, string | number | boolean | undefined>;

export interface Wish {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Query;
  body?: object | Blob;
  /** It is done only where the object is still this one. */
  ifMatch?: string | undefined;
  /** It is done only where there is none yet. */
  isNew?: boolean;
  /** Nothing is done: the server says only whether it would refuse. */
  isCheck?: boolean;
  /** Only time has passed since it was asked last: that is no use of the session. */
  isUnasked?: boolean;
  /** It finds out, or proves, who asks: whoever is nobody is told so. */
  isSigningIn?: boolean;
  signal?: AbortSignal;
}

let onSignedOut = () => {};
let onForbidden = () => {};
const waiting = new Set<() => void>();

/** Called when the server does not know any more who asks: what was asked waits, and is asked again after `signedIn`. */
export const whenSignedOut = (watcher: () => void) => {
  onSignedOut = watcher;
};

/** Called when something was refused that the page has offered: rights may have changed. */
export const whenForbidden = (watcher: () => void) => {
  onForbidden = watcher;
};

export function signedIn(): void {
  for (const goOn of waiting) goOn();
  waiting.clear();
}

function signedInAgain(signal: AbortSignal | undefined): Promise<void> {
  onSignedOut();
  return new Promise((resolve, reject) => {
    waiting.add(resolve);
    signal?.addEventListener('abort', () => {
      waiting.delete(resolve);
      reject(signal.reason);
    });
  });
}

/** So often, and after so many milliseconds, a read is tried again by itself where nothing came back. */
const PAUSES = [300, 1500];

/** A call of the management API, as everybody else makes it: `path` begins behind `/api`. */
export async function ask<T>(path: string, wish: Wish = {}): Promise<Answer<T>> {
  const { response, told } = await accepted(path, wish, bodyOf);
  return answerOf<T>(response, told);
}

/** The same where what comes is long, and read by whoever has asked as it comes. */
export async function askLong(path: string, wish: Wish = {}): Promise<Response> {
  const { response } = await accepted(path, wish, async (answer) => (answer.ok ? undefined : bodyOf(answer)));
  return response;
}

type Read = (response: Response) => Promise<unknown>;

interface Reached {
  response: Response;
  told: unknown;
}

async function accepted(path: string, wish: Wish, read: Read): Promise<Reached> {
  for (;;) {
    const reply = await reached(path, wish, read);
    const { response, told } = reply;
    if (response.ok) return reply;
    const refusal = refusalOf(response, told);
    if (response.status === 403 && !wish.isSigningIn) onForbidden();
    if (response.status !== 401 || wish.isSigningIn) throw refusal;
    await signedInAgain(wish.signal);
  }
}

async function reached(path: string, wish: Wish, read: Read): Promise<Reached> {
  const { method = 'GET', signal } = wish;
  for (let attempt = 0; ; attempt += 1) {
    // An answer that is cut in its middle is none.
    const reply = await once(path, wish)
      .then(async (response) => ({ response, told: await read(response) }))
      .catch((error: Error) => error);
    signal?.throwIfAborted();
    const pause = method === 'GET' ? PAUSES[attempt] : undefined;
    const isAway = reply instanceof Error || [502, 503].includes(reply.response.status);
    if (isAway && pause !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      continue;
    }
    if (reply instanceof Error) throw new Unreachable('the server does not answer');
    heard(reply.response.headers.get('Date'), wish.isUnasked !== true);
    return reply;
  }
}

function once(path: string, wish: Wish): Promise<Response> {
  const { method = 'GET', query = {}, body, ifMatch, isNew, isCheck, isUnasked, signal } = wish;
  const isJson = body !== undefined && !(body instanceof Blob);
  return fetch(addressOf(path, query), {
    method,
    credentials: 'same-origin',
    headers: {
      Accept: 'application/json',
      ...(isJson && { 'Content-Type': 'application/json' }),
      ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
      ...(isNew && { 'If-None-Match': '*' }),
      ...(isCheck && { 'X-Check-Only': 'true' }),
      ...(isUnasked && { 'X-Unasked': 'true' }),
    },
    ...(body !== undefined && { body: isJson ? JSON.stringify(body) : (body as Blob) }),
    ...(signal && { signal }),
  });
}

/** Where a call is made, for links and downloads too. */
export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const words = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${prefix}/api${path}${words && `?${words}`}`;
}

/** A part of a path, whatever is in it. */
export const part = (text: string) => encodeURIComponent(text);

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    // A proxy between us has its own pages; what it says instead of the server is no answer either.
    if (response.ok && response.status !== 204) throw error;
    return undefined;
  }
}

interface Envelope<T> {
  task_id: string | null;
  status: Answer<T>['status'];
  result: T;
  total?: number;
  next?: string;
}

function answerOf<T>(response: Response, told: unknown): Answer<T> {
  if (response.status === 204) return { result: undefined as T, status: 'SUCCESS' };
  const { task_id, status, result, total, next } = told as Envelope<T>;
  const tag = response.headers.get('ETag');
  return {
    result: result === undefined ? (told as T) : result,
    status,
    ...(total !== undefined && { total }),
    ...(next && { next }),
    ...(task_id && { task: task_id }),
    ...(tag && { tag }),
  };
}

interface Told {
  code?: string;
  detail?: string;
  message?: string;
  result?: Record<string, string[] | string>;
  errors?: { field: string; message?: string; code?: string }[];
}

export function refusalOf(response: Response, body: unknown): Refusal {
  const told = (body ?? {}) as Told;
  const fields: Record<string, string> = {};
  for (const { field, message, code } of told.errors ?? []) fields[field] = message ?? code ?? 'is not valid';
  if (told.result && typeof told.result === 'object') {
    for (const [field, said] of Object.entries(told.result)) fields[field] = [said].flat().join('; ');
  }
  const words = told.detail ?? told.message ?? `the server answered ${response.status}`;
  const tag = response.headers.get('ETag') ?? undefined;
  return new Refusal(response.status, told.code ?? String(response.status), words, fields, tag);
}

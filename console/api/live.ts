import { addressOf, ask } from './ask.js';

/** Something has happened to a thing of a kind, to those who may know. */
export interface Change {
  kind: string;
  action: 'created' | 'changed' | 'deleted' | 'progress';
  uuid?: string;
  name: string;
  datacenters: readonly string[];
  what?: string;
  who?: string;
  progress?: object;
}

export type Connection = 'connecting' | 'live' | 'cut';

type Listener = (changes: readonly Change[]) => void;
type Watcher = (connection: Connection) => void;

/** What comes is gathered for so long, in milliseconds; while more and more comes, for longer. */
const GATHER = 150;
const GATHER_MORE = 1000;
/** More of them than this, and everything is read anew instead. */
const MANY = 500;
/** So long after it was cut the stream is asked for again, and so long at most. */
const AGAIN = 1000;
const AGAIN_AT_MOST = 10_000;
/** A window that nobody sees lets go of its stream: a browser has but six connections to a server for all of them. */
const UNSEEN = 10_000;

/** Means: something may have been missed, or too much has happened to tell. */
export const EVERYTHING: readonly Change[] = [];

const listeners = new Set<Listener>();
const watchers = new Set<Watcher>();
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let isWanted = false;
let connection: Connection = 'connecting';
/** Behind which event it goes on. */
let lastId = '';
let missed = false;
let isFirst = true;
let failed = 0;

/** One stream for the whole page, as long as somebody is signed in. */
export function connect(): void {
  isWanted = true;
  if (!source && !document.hidden) open();
}

export function disconnect(): void {
  isWanted = false;
  letGo();
  say('connecting');
}

document.addEventListener('visibilitychange', () => {
  if (!isWanted) return;
  if (document.hidden) later(UNSEEN, letGo);
  else if (source) clearTimeout(timer);
  else open();
});

function open(): void {
  clearTimeout(timer);
  source = new EventSource(addressOf('/events', { after: lastId }));
  source.addEventListener('open', () => {
    failed = 0;
    say('live');
    if (missed) tell(EVERYTHING);
    // What was read while the stream was being opened may have changed before it was open.
    else if (isFirst) setTimeout(() => tell(EVERYTHING), GATHER_MORE);
    missed = false;
    isFirst = false;
  });
  source.addEventListener('error', () => {
    const isRefused = source?.readyState === EventSource.CLOSED;
    letGo();
    say('cut');
    // Whoever is signed out by now is told so by any other call.
    if (isRefused) void ask('/account').catch(() => {});
    failed += 1;
    // Where nobody sees it, it is opened when it is looked at again.
    later(Math.min(AGAIN * 2 ** (failed - 1), AGAIN_AT_MOST), () => document.hidden || open());
  });
  source.addEventListener('ready', keepId);
  source.addEventListener('reset', (event) => {
    keepId(event);
    tell(EVERYTHING);
  });
  for (const name of ['change', 'progress']) {
    source.addEventListener(name, (event) => {
      keepId(event);
      gather(JSON.parse(event.data) as Change);
    });
  }
}

function keepId(event: MessageEvent<string>): void {
  lastId = event.lastEventId || lastId;
}

function letGo(): void {
  clearTimeout(timer);
  // Whoever never had an id may have missed all.
  missed ||= source !== undefined && lastId === '';
  source?.close();
  source = undefined;
}

function later(pause: number, act: () => unknown): void {
  clearTimeout(timer);
  timer = setTimeout(() => isWanted && act(), pause);
}

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** What nobody has changed is told to nobody: who has asked for news of it here has all that shows it look again. */
export const lookAgain = (kinds: readonly string[]) =>
  tell(kinds.map((kind) => ({ kind, action: 'changed', name: '', datacenters: [] })));

export function watchConnection(watcher: Watcher): () => void {
  watchers.add(watcher);
  watcher(connection);
  return () => void watchers.delete(watcher);
}

function say(now: Connection): void {
  connection = now;
  for (const watcher of [...watchers]) watcher(now);
}

let gathered: Change[] = [];
let told = Number.NEGATIVE_INFINITY;

/** Thousands of events are a change of the page or two. */
function gather(change: Change): void {
  gathered.push(change);
  if (gathered.length > 1) return;
  const isBusy = performance.now() - told < GATHER_MORE;
  setTimeout(
    () => {
      const changes = gathered.length > MANY ? EVERYTHING : gathered;
      gathered = [];
      told = performance.now();
      tell(changes);
    },
    isBusy ? GATHER_MORE : GATHER,
  );
}

function tell(changes: readonly Change[]): void {
  for (const listener of [...listeners]) listener(changes);
}

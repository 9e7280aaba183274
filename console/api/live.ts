import { addressOf } from './ask.js';

/** Something has happened to a thing of a kind, to those who may know. */
export interface Change {
  kind: string;
  action: 'added' | 'changed' | 'removed' | 'progress' | string;
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

/** What comes is gathered for so long, in milliseconds: thousands of events are one change of the page. */
const GATHER = 150;
/** More of them than this, and everything is read anew instead. */
const MANY = 500;

/** Means: something may have been missed, or too much has happened to tell. */
export const EVERYTHING: readonly Change[] = [];

const listeners = new Set<Listener>();
const watchers = new Set<Watcher>();
let source: EventSource | undefined;
let gathered: Change[] = [];
let connection: Connection = 'connecting';
let missed = false;

/** One stream for the whole page, as long as somebody is signed in. */
export function connect(): void {
  if (source) return;
  source = new EventSource(addressOf('/events'));
  source.addEventListener('open', () => {
    say('live');
    // The browser goes on behind the last event that had an id; whoever never had one may have missed all.
    if (missed) tell(EVERYTHING);
    missed = false;
  });
  source.addEventListener('error', () => {
    missed ||= connection === 'live';
    say('cut');
    if (source?.readyState === EventSource.CLOSED) again();
  });
  source.addEventListener('reset', () => tell(EVERYTHING));
  for (const name of ['change', 'progress']) {
    source.addEventListener(name, (event) => gather(JSON.parse((event as MessageEvent<string>).data) as Change));
  }
}

export function disconnect(): void {
  source?.close();
  source = undefined;
  say('connecting');
}

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function watchConnection(watcher: Watcher): () => void {
  watchers.add(watcher);
  watcher(connection);
  return () => void watchers.delete(watcher);
}

/** In milliseconds: where the server has refused the stream, the browser does not come back by itself. */
const AGAIN = 3000;

function again(): void {
  const ended = source;
  setTimeout(() => {
    if (source !== ended) return;
    source = undefined;
    connect();
  }, AGAIN);
}

function say(now: Connection): void {
  connection = now;
  for (const watcher of [...watchers]) watcher(now);
}

function gather(change: Change): void {
  gathered.push(change);
  if (gathered.length > 1) return;
  setTimeout(() => {
    const changes = gathered.length > MANY ? EVERYTHING : gathered;
    gathered = [];
    tell(changes);
  }, GATHER);
}

function tell(changes: readonly Change[]): void {
  for (const listener of [...listeners]) listener(changes);
}

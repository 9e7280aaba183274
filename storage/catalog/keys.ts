/**
 * Where things stand in the database. A key is a string of bytes (one character each), so that comparing keys as
 * strings and comparing them as bytes is the same. NUL ends a part and never occurs inside one.
 *
 *   r<kind> 0 <id>                          → the record as JSON
 *   u<kind> 0 <unique key>                  → the id of its record
 *   i<kind> 0 <index> 0 <value> 0 <id>      → the id of its record
 */
export interface KeyRange {
  /** The first key inside. */
  from: string;
  /** The first key behind. */
  to: string;
  reverse: boolean;
  /** The walk that it is a part of, where memory keeps its keys for writes. */
  resident?: string;
}

/** All there is. */
export const everything: KeyRange = { from: '\0', to: '\xff', reverse: false };

/** Hands our keys to LevelDB as the bytes that they are. */
export const keyEncoding = {
  name: 'latin1',
  format: 'buffer' as const,
  encode: (key: string) => Buffer.from(key, 'latin1'),
  decode: (bytes: Buffer) => bytes.toString('latin1'),
};

const end = '\0';

export const recordKey = (kind: string, id: string) => `${records(kind)}${part(id)}`;
export const uniqueKey = (kind: string, key: string) => `u${part(kind)}${end}${part(key)}`;

/** Whose record a key is, if it is one's. */
export function recordOf(key: string): { kind: string; id: string } | undefined {
  const at = key.indexOf(end);
  return key[0] === 'r' && at > 0 ? { kind: text(key.slice(1, at)), id: text(key.slice(at + 1)) } : undefined;
}

/** `entry` as Kind.index spells it: `<index>:<value>`. */
export function indexKey(kind: string, entry: string, id: string): string {
  const colon = entry.indexOf(':');
  if (colon < 1) throw new TypeError(`index entry "${entry}" of ${kind} is not spelt <index>:<value>`);
  return `${walk(kind, entry.slice(0, colon))}${part(entry.slice(colon + 1))}${end}${part(id)}`;
}

/** What all keys of one walk begin with: those of an index, or the records themselves when `index` is `id`. */
export function walk(kind: string, index: string): string {
  return index === 'id' ? records(kind) : `i${part(kind)}${end}${part(index)}${end}`;
}

interface Bounds {
  prefix?: string;
  after?: string;
  below?: string;
  reverse?: boolean;
}

export function rangeOf(base: string, { prefix = '', after, below, reverse = false }: Bounds): KeyRange {
  const first = base + part(prefix);
  const behindThem = behindAll(first);
  const bound = below === undefined ? behindThem : base + part(below);
  const range = { from: first, to: bound < behindThem ? bound : behindThem, reverse };
  return after === undefined ? range : behind(range, base + Buffer.from(after, 'base64url').toString('latin1'));
}

export const wholeWalk = (base: string): KeyRange => rangeOf(base, {});

/** What is left of a range once `key` has been met. */
export function behind(range: KeyRange, key: string): KeyRange {
  return range.reverse
    ? { ...range, to: key < range.to ? key : range.to }
    : { ...range, from: key < range.from ? range.from : `${key}\0` };
}

export const position = (base: string, key: string) =>
  Buffer.from(key.slice(base.length), 'latin1').toString('base64url');

function records(kind: string): string {
  return `r${part(kind)}${end}`;
}

/** The first key that does not begin so; no part holds byte 255, so the last byte can always be counted up. */
function behindAll(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** Keeps order and prefixes, and leaves NUL to us: 0 becomes 1 1, 1 becomes 1 2. */
function part(text: string): string {
  return bytes(text).replace(/[\0\x01]/g, (byte) => (byte === '\0' ? '\x01\x01' : '\x01\x02'));
}

function text(part: string): string {
  const bytes = part.replace(/\x01[\x01\x02]/g, (pair) => (pair[1] === '\x01' ? '\0' : '\x01'));
  if (/^[\0-\x7f]*$/.test(bytes)) return bytes;
  // lone surrogates are spelt like code points of three bytes, which UTF-8 itself refuses
  return bytes
    .split(/(\xed[\xa0-\xbf][\x80-\xbf])/)
    .map((piece, n) => (n % 2 === 0 ? Buffer.from(piece, 'latin1').toString() : surrogate(piece)))
    .join('');
}

function surrogate(bytes: string): string {
  return String.fromCharCode(0xd000 | ((bytes.charCodeAt(1) & 0x3f) << 6) | (bytes.charCodeAt(2) & 0x3f));
}

function bytes(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  return Array.from(text, (character) => loneSurrogate(character) ?? Buffer.from(character).toString('latin1')).join(
    '',
  );
}

// UTF-8 would fold all lone surrogates into U+FFFD; spelt like any other code point of three bytes they stay distinct
function loneSurrogate(character: string): string | undefined {
  const code = character.charCodeAt(0);
  if (character.length > 1 || code < 0xd800 || code > 0xdfff) return undefined;
  return String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
}

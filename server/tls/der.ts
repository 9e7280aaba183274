/** Writes DER, the form of certificates: every value is a tag, a length and its content. */

export type Der = Buffer;

const value = (tag: number, ...content: Buffer[]): Der => {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOf(length), ...content]);
};

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export const sequence = (...values: Der[]): Der => value(0x30, ...values);
export const set = (...values: Der[]): Der => value(0x31, ...values);
export const utf8 = (text: string): Der => value(0x0c, Buffer.from(text));
export const octets = (bytes: Buffer): Der => value(0x04, bytes);
/** Whole bytes only. */
export const bits = (bytes: Buffer): Der => value(0x03, Buffer.from([0]), bytes);
export const nothing: Der = value(0x05);
export const yes: Der = value(0x01, Buffer.from([0xff]));

/** A leading bit would be a sign. */
export const positive = (bytes: Buffer): Der =>
  value(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);

/** `1.2.840` */
export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return value(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(number: number): number[] {
  const last = number & 0x7f;
  const before = number >>> 7;
  return before === 0 ? [last] : [...base128(before).map((byte) => byte | 0x80), last];
}

/** `20250102030405Z`; certificates want the short form until 2049. */
export function time(date: Date): Der {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, '');
  return date.getUTCFullYear() < 2050 ? value(0x17, Buffer.from(digits.slice(2))) : value(0x18, Buffer.from(digits));
}

/** A value that is known by its place: `[number]`, with a content of its own or around another value. */
export const tagged = (number: number, content: Buffer): Der => value(0x80 | number, content);
export const wrapped = (number: number, content: Der): Der => value(0xa0 | number, content);

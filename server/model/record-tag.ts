import { createHmac } from 'node:crypto';

/** From a record as it is stored to its tag, as headers have it: another one whenever the record is another. */
export type RecordTag = (record: object) => string;

/**
 * Tags under a key that only the server has: what stands in a record can not be found out by trying. That something was
 * used is no change of it, and neither is how the server's own work with it goes.
 */
export function recordTags(secret: string): RecordTag {
  const key = createHmac('sha256', secret).update('record tags').digest();
  return (record) =>
    `"${createHmac('sha256', key)
      .update(JSON.stringify(edited(record)))
      .digest('base64url')
      .slice(0, 22)}"`;
}

/** Without what nobody has written: a state in one word is decided by people, one with fields is kept by the server. */
function edited(record: { lastUsed?: unknown; state?: unknown }): object {
  const { lastUsed, state, ...rest } = record;
  return typeof state === 'object' ? rest : { ...rest, ...(state !== undefined && { state }) };
}

/** What If-Match asks for: that there is something, or one of these tags. What If-None-Match does: that there is nothing. */
export type Expected = '*' | 'nothing' | ReadonlySet<string>;

const TAG = /[\t ,]*(?:W\/)?("[!#-~\x80-\xff]*")[\t ]*(?:,[\t ,]*|$)/y;

/**
 * RFC 9110, section 13.1.1; nothing where the header is malformed. Weak tags count, as our own come back from behind a
 * proxy that compresses: they stand for the record, and not for the bytes of an answer.
 */
export function expectedBy(header: string): Expected | undefined {
  if (header.trim() === '*') return '*';
  const tags = new Set<string>();
  TAG.lastIndex = 0;
  do {
    const [, tag] = TAG.exec(header) ?? [];
    if (tag === undefined) return undefined;
    tags.add(tag);
  } while (TAG.lastIndex < header.length);
  return tags;
}

/** The tag of what is there, if anything is. */
export function isExpected(expected: Expected, tag: string | undefined): boolean {
  if (expected === 'nothing' || tag === undefined) return expected === 'nothing' && tag === undefined;
  return expected === '*' || expected.has(tag);
}

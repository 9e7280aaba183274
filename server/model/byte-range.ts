const SINGLE = /^bytes=(\d*)-(\d*)$/i;

/**
 * The bytes that a Range header asks for, the last one included (RFC 9110, section 14.1.2). Undefined where the header
 * is to be ignored: other units, what can not be read, and several ranges, which are answered with the whole.
 */
export function byteRange(header: string, size: number): { start: number; end: number } | 'outside' | undefined {
  const [, first = '', last = ''] = SINGLE.exec(header) ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return within(Math.max(size - Number(last), 0), size - 1, size);
  if (last === '') return within(Number(first), size - 1, size);
  return Number(last) < Number(first) ? undefined : within(Number(first), Number(last), size);
}

const within = (start: number, end: number, size: number) =>
  start < size ? { start, end: Math.min(end, size - 1) } : 'outside';

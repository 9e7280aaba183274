import type { Answer, Call, Exchange } from '../../imgapi/exchange.js';
import type { Opened, RemoteFile } from '../sources.js';

/** A file that is fetched over HTTP, from any byte on where the server can do that. */
export function httpFile(exchange: Exchange, what: string, path: string, call: Call = {}): RemoteFile {
  return {
    what,
    open: async ({ from, mark }, signal) => {
      const headers = { ...call.headers, ...rangeHeaders(from, mark) };
      const answer = await exchange.send('GET', path, { ...call, headers, signal });
      return openedFrom(exchange, answer, from);
    },
  };
}

export const rangeHeaders = (from: number, mark: string | undefined) => ({
  accept: '*/*',
  ...(from > 0 && { range: `bytes=${from}-` }),
  ...(from > 0 && mark !== undefined && { 'if-range': mark }),
});

/** What the answer says it is. A 200 is the whole file, whatever was asked for. */
export function openedFrom(exchange: Exchange, { status, headers, body }: Answer, asked: number): Opened {
  const mark = markOf(headers);
  const length = wholeNumber(headers['content-length']);
  const common = { body, ...(mark !== undefined && { mark }) };
  if (status === 200) return { ...common, from: 0, ...(length !== undefined && { size: length }) };
  const [, from, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (status !== 206 || from === undefined || Number(from) !== asked) {
    body.destroy();
    throw exchange.answeredBadly(status, `sent another part of the file than the one from byte ${asked} on`);
  }
  return { ...common, from: asked, ...(size !== '*' && { size: Number(size) }) };
}

/** A weak tag says nothing about single bytes. */
function markOf({ etag, 'last-modified': modified }: Answer['headers']): string | undefined {
  return etag !== undefined && !etag.startsWith('W/') ? etag : modified;
}

const wholeNumber = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined);

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { numbered } from './fixtures.js';
import type { Reply } from './remote.js';

/** What a manifest says of these bytes. */
export const fileOf = (bytes: string) => ({
  sha1: createHash('sha1').update(bytes).digest('hex'),
  size: Buffer.byteLength(bytes),
  compression: 'none',
});

/** A manifest as image servers have it, of an image with this file. */
export const manifestOf = (bytes: string, more: Record<string, unknown> = {}) => ({
  v: 2,
  uuid: numbered(1),
  owner: numbered(2),
  name: 'remote',
  version: '1.0.0',
  type: 'zone-dataset',
  os: 'smartos',
  public: false,
  state: 'active',
  files: [fileOf(bytes)],
  ...more,
});

const sends =
  (write: (response: ServerResponse) => void, headers: Record<string, string> = {}, status = 200): Reply =>
  (_, response) => {
    response.writeHead(status, headers);
    write(response);
  };

export const BYTES = 'the bytes of the image, all of them';

const length = (bytes: string | number) => ({
  'content-length': String(typeof bytes === 'string' ? bytes.length : bytes),
});

/** Ways in which a server may fail to send the file that it has announced. */
export const liars: Record<string, Reply> = {
  'another file of the same size': sends((to) => to.end('x'.repeat(BYTES.length)), length(BYTES)),
  'too little, and says so': sends((to) => to.end(BYTES.slice(1)), length(BYTES.slice(1))),
  'too little': sends((to) => {
    to.write(BYTES.slice(0, 9));
    setImmediate(() => to.destroy());
  }, length(BYTES)),
  'too much, and says so': sends((to) => to.end(`${BYTES}!`), length(`${BYTES}!`)),
  'too much': sends((to) => to.end(`${BYTES}!`)),
  nothing: sends((to) => to.end(), length('')),
  'no answer at all': (_, response) => response.destroy(),
  'a page for people': sends((to) => to.end('<html>'), { 'content-type': 'text/html' }),
  'a refusal': sends((to) => to.end('{"code":"UnauthorizedError","message":"who are you"}'), {}, 401),
  'a failure': sends((to) => to.end('broken'), {}, 500),
  'another encoding': sends((to) => to.end(BYTES), { 'content-encoding': 'gzip' }),
  'a circle': sends((to) => to.end(), { location: '?again' }, 302),
};

/** Ways in which a server may fail to send a manifest. */
export const badManifests: Record<string, Reply | object> = {
  'a page for people': liars['a page for people']!,
  'half of it': sends((to) => to.end('{"v":2,"uuid":"')),
  'a list': sends((to) => to.end('[]')),
  'one without end': sends((to) => {
    const more = () => {
      while (to.write(`"${'x'.repeat(60_000)}",`));
      if (!to.destroyed) to.once('drain', more);
    };
    to.write('{"tags":[');
    more();
    to.on('error', () => {});
  }),
  'a circle': liars['a circle']!,
  'a refusal': liars['a refusal']!,
  'a failure': liars['a failure']!,
  'no answer at all': liars['no answer at all']!,
  'another image': manifestOf(BYTES, { uuid: numbered(3) }),
  'no uuid': manifestOf(BYTES, { uuid: undefined }),
  'no version': manifestOf(BYTES, { version: undefined }),
  'no type': manifestOf(BYTES, { type: undefined }),
  'no os': manifestOf(BYTES, { os: undefined }),
  'no file': manifestOf(BYTES, { files: [] }),
  'two files': manifestOf(BYTES, { files: [fileOf(BYTES), fileOf('b')] }),
  'an unknown compression': manifestOf(BYTES, { files: [{ ...fileOf(BYTES), compression: 'rar' }] }),
  'a size that is none': manifestOf(BYTES, { files: [{ ...fileOf(BYTES), size: -1 }] }),
  'a sha1 that is none': manifestOf(BYTES, { files: [{ ...fileOf(BYTES), sha1: 'nonsense' }] }),
  'a file that is too large': manifestOf(BYTES, { files: [{ ...fileOf(BYTES), size: 2 ** 50 }] }),
  'an origin that is none': manifestOf(BYTES, { origin: 'nonsense' }),
  'an origin that is not there': manifestOf(BYTES, { origin: numbered(4) }),
  'itself as its origin': manifestOf(BYTES, { origin: numbered(1) }),
};

/** A server of images on which each builds on the next, without end. */
export function endlessChain(count: number): Record<string, object> {
  const chain: Record<string, object> = {};
  for (let n = 1; n <= count; n += 1) {
    chain[`GET /images/${numbered(n)}`] = manifestOf(BYTES, { uuid: numbered(n), origin: numbered(n + 1) });
  }
  return chain;
}

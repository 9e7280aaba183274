import { createHash, randomBytes } from 'node:crypto';
import type { Answer, Ask, TestServer, Wire } from './server.js';

const PART = 'application/offset+octet-stream';

type Asks = Pick<TestServer, 'ask'>;

export const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** As it stands in a header. */
export const metadataText = (told: Record<string, string>) =>
  Object.entries(told)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

export interface Told {
  [key: string]: string;
}

/** Uploads in parts, header by header. */
export function tus({ ask }: Asks, credentials: Record<string, string> = {}) {
  const send = (method: string, path: string, { headers, ...options }: Ask = {}): Promise<Answer> =>
    ask(method, path, { as: 'admin', ...options, headers: { 'tus-resumable': '1.0.0', ...credentials, ...headers } });
  return {
    create: (size: number | string, told: Told, options: Ask = {}) =>
      send('POST', '/api/upload', {
        ...options,
        headers: {
          'upload-length': String(size),
          'upload-metadata': metadataText(told),
          ...(options.body !== undefined && { 'content-type': PART }),
          ...options.headers,
        },
      }),
    head: (path: string, headers: Record<string, string> = {}) => send('HEAD', path, { headers }),
    patch: (path: string, offset: number | string, body: Ask['body'] & {}, headers: Record<string, string> = {}) =>
      send('PATCH', path, { body, headers: { 'content-type': PART, 'upload-offset': String(offset), ...headers } }),
    end: (path: string) => send('DELETE', path),
    list: async (): Promise<Wire[]> =>
      (await ask('GET', '/api/upload', { as: 'admin', headers: credentials })).json.result as Wire[],
  };
}

/** An upload of random bytes to an image without a file, not begun with. */
export async function begun(server: Pick<TestServer, 'ask' | 'image'>, size = 100_000, more: Told = {}) {
  const { uuid } = await server.image({}, { file: null });
  const bytes = randomBytes(size);
  const {
    status,
    headers,
    bytes: said,
  } = await tus(server).create(size, {
    image: uuid,
    sha256: sha256Of(bytes),
    compression: 'none',
    ...more,
  });
  if (status !== 201) throw new Error(`not begun: ${said}`);
  return { uuid, bytes, path: pathOf(headers.location) };
}

export const pathOf = (location = '') => new URL(location, 'http://x/api/upload').pathname;

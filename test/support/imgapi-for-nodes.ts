import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { PullOrder } from '../../server/hypervisors/hypervisor.js';

export type OrderedImage = PullOrder['images'][number];

/** How an image is told of, or sent, that is not as it should be. */
export interface Lie {
  sha1?: string;
  /** Bytes after which the connection breaks. */
  cut?: number;
  /** Bytes after which nothing comes any more, and the connection stays. */
  stall?: number;
}

/** An IMGAPI as nodes see it, with what a test puts there. */
export interface ImgapiForNodes {
  /** With a token in its path. */
  url: string;
  token: string;
  add(file: Uint8Array, of?: Partial<OrderedImage>, lie?: Lie): OrderedImage;
  /** Paths below the token that were asked for, in order. */
  asked: string[];
  /** Resolves when a file has come to where it stalls. */
  stalled: Promise<void>;
}

export async function serveImages(t: Pick<ExecutionContext, 'teardown'>): Promise<ImgapiForNodes> {
  const images = new Map<string, { image: OrderedImage; file: Uint8Array; lie: Lie }>();
  const asked: string[] = [];
  const token = randomUUID();
  let stall = () => {};
  const stalled = new Promise<void>((resolve) => {
    stall = resolve;
  });
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(`/${token}`, '');
    asked.push(path);
    const [, uuid = '', file] = /^\/images\/([0-9a-f-]{36})(\/file)?$/.exec(path) ?? [];
    const found = images.get(uuid);
    if (path === '/ping') {
      response.setHeader('content-type', 'application/json').end('{"ping":"pong","imgapi":true}');
    } else if (!found || !request.url?.startsWith(`/${token}/`)) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"ResourceNotFound","message":"no"}');
    } else if (file === undefined) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(manifestOf(found.image)));
    } else {
      response.writeHead(200, { 'content-length': found.image.size });
      const { cut, stall: at } = found.lie;
      if (cut !== undefined) response.write(found.file.subarray(0, cut), () => response.destroy());
      else if (at !== undefined) response.write(found.file.subarray(0, at), stall);
      else response.end(found.file);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}`,
    token,
    asked,
    stalled,
    add(file, of = {}, lie = {}) {
      const image: OrderedImage = {
        uuid: randomUUID(),
        size: file.length,
        sha1: lie.sha1 ?? createHash('sha1').update(file).digest('hex'),
        compression: 'none',
        type: 'zone-dataset',
        ...of,
      };
      images.set(image.uuid, { image, file, lie });
      return image;
    },
  };
}

const manifestOf = ({ uuid, size, sha1, compression, type, origin }: OrderedImage) => ({
  v: 2,
  uuid,
  owner: '00000000-0000-0000-0000-000000000000',
  name: 'base',
  version: '1.0.0',
  state: 'active',
  disabled: false,
  public: true,
  published_at: '2024-01-01T00:00:00Z',
  type,
  os: 'linux',
  ...(origin !== undefined && { origin }),
  files: [{ size, sha1, compression }],
});

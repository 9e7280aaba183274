import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { listening } from './listening.js';

/** Does something else than what would be answered; true where it did. */
export type Meddle = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface RegistryOptions {
  /** How it wants to know who asks; whoever does may do all where nothing is said. */
  login?: 'basic' | 'token';
  users?: Record<string, string>;
  /** Blobs are answered with a redirect to another port, or another name of this machine. */
  blobHost?: string;
  /** Under which name of this machine tokens are had. */
  realmHost?: string;
  meddle?: Meddle;
}

export interface TestImage {
  manifest: Manifest;
  text: string;
  digest: string;
  config: Record<string, unknown>;
  layers: Buffer[];
}

interface Part {
  mediaType: string;
  digest: string;
  size: number;
}

interface Manifest {
  schemaVersion: 2;
  mediaType: string;
  config: Part;
  layers: Part[];
}

export interface TestRegistry {
  host: string;
  /** What it was asked, in order, with what proved who asks: `GET /v2/a/manifests/x Bearer`. */
  asked: string[];
  /** What was asked of where the blobs are. */
  fetched: { path: string; authorization: string | undefined }[];
  blobs: Map<string, Buffer>;
  /** `repo:reference` → manifest */
  manifests: Map<string, { text: string; mediaType: string }>;
  put(repo: string, tag: string, image: TestImage): void;
  putText(repo: string, reference: string, mediaType: string, text: string): string;
  meddle: Meddle | undefined;
}

export const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  docker: 'application/vnd.docker.distribution.manifest.v2+json',
  oci: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

export const digestOf = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image of layers with these contents, as docker builds it. */
export function testImage(contents: readonly (string | Buffer)[], more: Record<string, unknown> = {}): TestImage {
  const layers = contents.map((content) => gzipSync(content));
  const config = {
    architecture: 'amd64',
    config: { Cmd: ['/bin/sh', '-c', 'a < b && c'], Env: ['PATH=/bin'], WorkingDir: '/' },
    created: '2024-03-02T01:00:00.123456789Z',
    history: [
      ...contents.map((_, n) => ({ created: `2024-03-01T0${n % 10}:00:00Z`, created_by: `/bin/sh -c step ${n}` })),
      { created: '2024-03-02T01:00:00Z', created_by: '/bin/sh -c #(nop) CMD', empty_layer: true },
    ],
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: contents.map((content) => digestOf(content)) },
    ...more,
  };
  const configText = JSON.stringify(config);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: types.docker,
    config: { mediaType: types.config, digest: digestOf(configText), size: Buffer.byteLength(configText) },
    layers: layers.map((bytes) => ({ mediaType: types.layer, digest: digestOf(bytes), size: bytes.length })),
  };
  const text = JSON.stringify(manifest, null, 3);
  return { manifest, text, digest: digestOf(text), config, layers };
}

/** A registry that speaks the distribution protocol, on loopback. */
export async function startRegistry(
  t: Pick<ExecutionContext, 'teardown'>,
  options: RegistryOptions = {},
): Promise<TestRegistry> {
  const { login, users = {}, blobHost, realmHost = '127.0.0.1' } = options;
  const tokens = new Map<string, string[]>();
  const uploads = new Map<string, Buffer[]>();
  const blobs: TestRegistry['blobs'] = new Map();
  const manifests: TestRegistry['manifests'] = new Map();
  const asked: string[] = [];
  const fetched: TestRegistry['fetched'] = [];

  const sendBlob = (request: IncomingMessage, response: ServerResponse, digest: string) => {
    const bytes = blobs.get(digest);
    if (!bytes) return refuse(response, 404, 'BLOB_UNKNOWN');
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes.length - from,
      'docker-content-digest': digest,
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : bytes.subarray(from));
  };

  const blobServer = createServer((request, response) => {
    const { authorization } = request.headers;
    fetched.push({ path: request.url ?? '', authorization });
    sendBlob(request, response, request.url?.slice(1) ?? '');
  });
  const blobPort = await listening(t, blobServer);

  const server = createServer(async (request, response) => {
    const { authorization = '' } = request.headers;
    asked.push(`${request.method} ${request.url} ${authorization.split(' ')[0]}`.trimEnd());
    if (await registry.meddle?.(request, response)) return;
    const url = new URL(request.url ?? '/', `http://${registry.host}`);
    if (url.pathname === '/token') return giveToken(url, authorization, response);
    const scope = scopeOf(request, url);
    if (scope && !isAllowed(scope, authorization)) return challenge(response, scope);
    await answer(request, response, url);
  });

  function giveToken(url: URL, authorization: string, response: ServerResponse) {
    const [user = '', password] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
    const isKnown = Object.hasOwn(users, user) && users[user] === password;
    if (!isKnown && (authorization !== '' || Object.keys(users).length > 0)) return refuse(response, 401, 'DENIED');
    const token = randomUUID();
    tokens.set(token, url.searchParams.getAll('scope'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: 60 }));
  }

  function scopeOf({ method }: IncomingMessage, { pathname }: URL): string | undefined {
    const [, repo] = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(pathname) ?? [];
    return repo && `repository:${repo}:${method === 'GET' || method === 'HEAD' ? 'pull' : 'push'}`;
  }

  function isAllowed(scope: string, authorization: string): boolean {
    const [scheme, proof = ''] = authorization.split(' ');
    if (login === undefined) return true;
    if (login === 'basic') {
      const [user = '', password] = Buffer.from(proof, 'base64').toString().split(':');
      return scheme === 'Basic' && Object.hasOwn(users, user) && users[user] === password;
    }
    const [, repo, action = ''] = /^(.+):(\w+)$/.exec(scope) ?? [];
    const granted = scheme === 'Bearer' ? (tokens.get(proof) ?? []) : [];
    return granted.some(
      (one) => one.startsWith(`${repo}:`) && one.slice(`${repo}:`.length).split(',').includes(action),
    );
  }

  function challenge(response: ServerResponse, scope: string) {
    const realm = `http://${registry.host.replace('127.0.0.1', realmHost)}/token`;
    const header =
      login === 'basic' ? 'Basic realm="registry"' : `Bearer realm="${realm}",service="test, of all",scope="${scope}"`;
    response.setHeader('www-authenticate', header);
    refuse(response, 401, 'UNAUTHORIZED');
  }

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL) {
    const { method } = request;
    const [, repo = '', kind, reference = ''] = /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === 'manifests' && method === 'PUT') {
      const text = (await buffer(request)).toString();
      const digest = registry.putText(repo, reference, request.headers['content-type'] ?? '', text);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
    } else if (kind === 'manifests') {
      const found = manifests.get(`${repo}:${reference}`);
      if (!found) return refuse(response, 404, 'MANIFEST_UNKNOWN');
      response.writeHead(200, { 'content-type': found.mediaType, 'docker-content-digest': digestOf(found.text) });
      response.end(method === 'HEAD' ? undefined : found.text);
    } else if (kind === 'blobs' && reference.startsWith('uploads/')) {
      await receive(request, response, url, repo, reference.slice('uploads/'.length));
    } else if (kind === 'blobs' && blobHost !== undefined && blobs.has(reference)) {
      response.writeHead(307, { location: `http://${blobHost}:${blobPort}/${reference}` }).end();
    } else if (kind === 'blobs') sendBlob(request, response, reference);
    else refuse(response, 404, 'UNSUPPORTED');
  }

  async function receive(request: IncomingMessage, response: ServerResponse, url: URL, repo: string, id: string) {
    const { method } = request;
    const mount = url.searchParams.get('mount');
    const body = await buffer(request);
    if (method === 'POST' && mount !== null && blobs.has(mount)) return void response.writeHead(201).end();
    if (method === 'POST') {
      const fresh = randomUUID();
      uploads.set(fresh, []);
      return void response.writeHead(202, { location: `/v2/${repo}/blobs/uploads/${fresh}?state=0` }).end();
    }
    const parts = uploads.get(id);
    if (!parts) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    if (method === 'DELETE') uploads.delete(id);
    parts.push(body);
    if (method !== 'PUT') {
      const location = `http://${registry.host}/v2/${repo}/blobs/uploads/${id}?state=${parts.length}`;
      return void response.writeHead(202, { location }).end();
    }
    const bytes = Buffer.concat(parts);
    const digest = digestOf(bytes);
    if (digest !== url.searchParams.get('digest')) return refuse(response, 400, 'DIGEST_INVALID');
    uploads.delete(id);
    blobs.set(digest, bytes);
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  }

  const registry: TestRegistry = {
    host: `127.0.0.1:${await listening(t, server)}`,
    asked,
    fetched,
    blobs,
    manifests,
    meddle: options.meddle,
    put: (repo, tag, { text, manifest, config, layers }) => {
      blobs.set(manifest.config.digest, Buffer.from(JSON.stringify(config)));
      for (const bytes of layers) blobs.set(digestOf(bytes), bytes);
      registry.putText(repo, tag, manifest.mediaType, text);
    },
    putText: (repo, reference, mediaType, text) => {
      const digest = digestOf(text);
      for (const name of [reference, digest]) manifests.set(`${repo}:${name}`, { text, mediaType });
      return digest;
    },
  };
  return registry;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}

/** The lines of a stream that tells how an import goes. */
export const linesOf = (bytes: Buffer): Record<string, unknown>[] =>
  bytes
    .toString()
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

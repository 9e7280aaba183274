import { createPrivateKey, generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import Provider, { type AdapterFactory, type AdapterPayload, type KoaContextWithOIDC } from 'oidc-provider';
import { listening } from './listening.js';

/** Who sits in front of the browser, as the issuer knows them. */
export interface Person {
  sub: string;
  preferred_username?: string;
  name?: string;
  email?: string;
  groups?: unknown;
}

export const CLIENT = { client: 'slipway', secret: 'the secret of the client' };

/** Where the tests' browser finds the server. */
export const PUBLIC = 'http://images.test';

type Payload = Record<string, unknown>;
type Header = { alg: string; kid?: string };

export interface Issuer {
  url: string;
  /** Signs in next; nobody does where there is none. */
  person: Person | undefined;
  /** What its ID tokens say instead of the truth. */
  bend: ((payload: Payload, header: Header) => void) | undefined;
  /** A key that signs instead of its own, of which nobody is told. */
  otherKey: JsonWebKey | undefined;
  /** Answers before it does; true where that was an answer, or none is to come. */
  before: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** All that it was asked, as METHOD and path. */
  asked: string[];
  /** New keys, and none of the old. */
  rotate(): void;
  close(): Promise<void>;
}

export interface IssuerOptions {
  publicUrl?: string;
  /** Below its host, as many have it. */
  path?: string;
  /** What it does not offer. */
  without?: 'logout';
  client?: Record<string, unknown>;
}

const made: (JsonWebKey & { kid: string })[] = [];

/** The keys that issuers have, one after another, as they are kept and published: to make one takes long. */
export function signingKey(at = 0): JsonWebKey & { kid: string } {
  const known = made[at];
  if (known) return known;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: `key-${at}`, use: 'sig', alg: 'RS256' };
  made[at] = key;
  return key;
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT, as any issuer makes it. */
export function jwt(payload: Payload, header: Header, key: JsonWebKey): string {
  const content = `${encoded(header)}.${encoded(payload)}`;
  if (header.alg === 'none') return `${content}.`;
  const signature = sign('sha256', Buffer.from(content), createPrivateKey({ key, format: 'jwk' }));
  return `${content}.${signature.toString('base64url')}`;
}

const payloadOf = (token: string): Payload =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** Codes are good for ever: whoever brings one again gets what came with it the first time. */
export function repeating(issuer: Pick<Issuer, 'url'>): NonNullable<Issuer['before']> {
  let first: Promise<string> | undefined;
  const askFirst = async (request: IncomingMessage) => {
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const headers = { authorization, 'content-type': type, 'x-first': 'yes' };
    const answer = await fetch(`${issuer.url}/token`, { method: 'POST', headers, body: await text(request) });
    return answer.text();
  };
  return (request, response) => {
    if (request.url !== '/token' || request.headers['x-first']) return false;
    first ??= askFirst(request);
    first.then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
    return true;
  };
}

/** A real provider on loopback, which lies where a test wants it to. */
export async function startIssuer(t: ExecutionContext, options: IssuerOptions = {}): Promise<Issuer> {
  const { publicUrl = PUBLIC, path = '', without, client } = options;
  let handler: RequestListener = (_request, response) => response.writeHead(503).end();
  const issuer: Issuer = {
    url: '',
    person: undefined,
    bend: undefined,
    otherKey: undefined,
    before: undefined,
    asked: [],
    rotate: () => {
      handler = provide(signingKey(1));
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    issuer.asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (issuer.before?.(request, response)) return;
    // as behind a proxy that takes the path away
    request.url = request.url?.slice(path.length) || '/';
    Object.assign(request, { originalUrl: path + request.url });
    handler(request, response);
  });
  issuer.url = `http://127.0.0.1:${await listening(t, server)}${path}`;

  const provide = (key: ReturnType<typeof signingKey>): RequestListener => {
    const provider = new Provider(issuer.url, {
      clients: [
        {
          client_id: CLIENT.client,
          client_secret: CLIENT.secret,
          redirect_uris: [`${publicUrl}/console/openid/callback`],
          post_logout_redirect_uris: [`${publicUrl}/console/`],
          ...client,
        },
      ],
      adapter: kept(),
      jwks: { keys: [key] },
      cookies: { keys: ['of the tests'] },
      claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'], groups: ['groups'] },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: without !== 'logout' } },
      interactions: { url: (_ctx, { uid }) => `${path}/person/${uid}` },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ ...issuer.person, sub }) }),
      loadExistingGrant: async ({ oidc }) => {
        const grant = new oidc.provider.Grant({
          clientId: oidc.client?.clientId ?? '',
          accountId: oidc.session?.accountId ?? '',
        });
        grant.addOIDCScope('openid profile email groups');
        await grant.save();
        return grant;
      },
      ttl: { AccessToken: 600, AuthorizationCode: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
    });
    provider.use(async (ctx, next) => {
      if (ctx.path.startsWith('/person/')) {
        const { person } = issuer;
        const result = person
          ? { login: { accountId: person.sub, remember: false } }
          : { error: 'access_denied', error_description: 'nobody is there' };
        ctx.respond = false;
        await provider.interactionFinished(ctx.req, ctx.res, result);
        return;
      }
      await next();
      bendToken(issuer, ctx as KoaContextWithOIDC, key);
    });
    return provider.callback();
  };
  handler = provide(signingKey());
  t.teardown(() => issuer.close());
  return issuer;
}

/** What a provider keeps, for as long as it is there. */
function kept(): AdapterFactory {
  const records = new Map<string, AdapterPayload>();
  return (model) => {
    const of = (id: string) => `${model}:${id}`;
    const found = (is: (record: AdapterPayload) => boolean) => [...records.values()].find(is);
    return {
      upsert: async (id, payload) => void records.set(of(id), payload),
      find: async (id) => records.get(of(id)),
      findByUserCode: async (userCode) => found((record) => record.userCode === userCode),
      findByUid: async (uid) => found((record) => record.uid === uid),
      consume: async (id) => void Object.assign(records.get(of(id)) ?? {}, { consumed: Date.now() }),
      destroy: async (id) => void records.delete(of(id)),
      revokeByGrantId: async (grantId) => {
        for (const [at, record] of records) if (record.grantId === grantId) records.delete(at);
      },
    };
  };
}

function bendToken({ bend, otherKey }: Issuer, ctx: KoaContextWithOIDC, key: JsonWebKey & { kid: string }): void {
  const told = ctx.body as { id_token?: string } | undefined;
  if (ctx.path !== '/token' || typeof told?.id_token !== 'string' || !(bend || otherKey)) return;
  const payload = payloadOf(told.id_token);
  const header: Header = { alg: 'RS256', kid: key.kid };
  bend?.(payload, header);
  told.id_token = jwt(payload, header, otherKey ?? key);
}

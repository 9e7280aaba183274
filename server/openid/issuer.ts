import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type * as OpenIdClient from 'openid-client';
import { Exchange } from '../../imgapi/exchange.js';
import { type Claims, isTold, type OpenIdRules } from '../model/openid.js';
import { Queue } from '../model/queue.js';
import { SignInFailed } from '../model/sign-in-problem.js';
import type { Outgoing } from '../outgoing/outgoing.js';
import { explained } from './explain.js';

/** What a browser has begun, and only it can finish. */
export interface Flow {
  state: string;
  nonce: string;
  /** Of PKCE: whoever has only the code can do nothing with it. */
  verifier: string;
}

/** The place where people sign in. What goes wrong is a SignInFailed. */
export interface OpenIdIssuer {
  /** Where the browser is sent. */
  begin(): Promise<Flow & { url: string }>;
  /** Who it is that comes back with this query. */
  finish(query: string, flow: Flow): Promise<Claims>;
  /** Where a browser signs out there as well; nothing where that is not offered, or not told in time. */
  endUrl(): Promise<string | undefined>;
}

export interface IssuerOptions {
  rules: OpenIdRules;
  client: string;
  secret: string | undefined;
  scopes: readonly string[];
  /** By which browsers reach this server. */
  publicUrl: string;
  outgoing: Pick<Outgoing, 'to'>;
  now: () => Date;
  /** Milliseconds for each of its answers. */
  patience?: number;
}

export const CALLBACK = '/console/openid/callback';

const PATIENCE = 10_000;
/** And where somebody leaves. */
const END_PATIENCE = 2000;
/** Of an answer. */
const MOST_BYTES = 1024 ** 2;
/** For so long its description of itself is good, in milliseconds. */
const DESCRIBED = 10 * 60_000;
/** Anybody may begin: so many are asked for at a time, and so many wait. */
const AT_ONCE = 8;
const MOST_WAITING = 100;

/** Of what it tells of itself. */
const NEEDED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;

/** Statuses that are the business of the library. */
const ANSWERS = Array.from({ length: 300 }, (_, at) => 300 + at);

/** The library is loaded here, where somebody has configured an issuer; the issuer is asked when somebody signs in. */
export async function openIssuer(options: IssuerOptions): Promise<OpenIdIssuer> {
  const openid = await import('openid-client');
  const { rules, client, secret, scopes, publicUrl, now, patience = PATIENCE } = options;
  const fetch = fetcher(options);
  const redirectUri = new URL(publicUrl + CALLBACK).href;
  const queue = new Queue(AT_ONCE);
  let described: { at: number; metadata: Promise<OpenIdClient.ServerMetadata> } | undefined;

  const extensions = rules.issuer.startsWith('http:') ? [openid.allowInsecureRequests] : [];

  const discover = async () => {
    const found = await openid.discovery(new URL(rules.issuer), client, secret, undefined, {
      [openid.customFetch]: fetch,
      execute: extensions,
      timeout: patience / 1000,
    });
    const metadata = found.serverMetadata();
    const missing = NEEDED.filter((name) => metadata[name] === undefined);
    if (missing.length === 0) return metadata;
    throw new SignInFailed('odd', `the description of the issuer names no ${missing.join(', ')}`);
  };

  const metadata = () => {
    const at = now().getTime();
    if (described && Math.abs(at - described.at) < DESCRIBED) return described.metadata;
    const asked = discover();
    const fresh = { at, metadata: asked };
    described = fresh;
    asked.catch(() => {
      if (described === fresh) described = undefined;
    });
    return asked;
  };

  /** A new one each time: the keys of the issuer are then those of this moment, however lately they were changed. */
  const configuration = async () => {
    const server = await metadata();
    const skew = Math.round((now().getTime() - Date.now()) / 1000);
    const own = { [openid.clockSkew]: skew, ...(secret !== undefined && { client_secret: secret }) };
    const configured = new openid.Configuration(server, client, own, proofOf(openid, server, secret));
    configured[openid.customFetch] = fetch;
    configured.timeout = patience / 1000;
    for (const extend of extensions) extend(configured);
    // also where TLS alone would do
    openid.enableNonRepudiationChecks(configured);
    return configured;
  };

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (queue.waiting >= MOST_WAITING) throw new SignInFailed('busy', `${MOST_WAITING} wait already`);
    try {
      return await queue.run(work);
    } catch (error) {
      throw explained(error);
    }
  };

  return {
    begin: () =>
      inTurn(async () => {
        const configured = await configuration();
        const flow = {
          state: openid.randomState(),
          nonce: openid.randomNonce(),
          verifier: openid.randomPKCECodeVerifier(),
        };
        const url = openid.buildAuthorizationUrl(configured, {
          redirect_uri: redirectUri,
          scope: scopes.join(' '),
          state: flow.state,
          nonce: flow.nonce,
          code_challenge: await openid.calculatePKCECodeChallenge(flow.verifier),
          code_challenge_method: 'S256',
        });
        return { ...flow, url: url.href };
      }),

    finish: (query, { state, nonce, verifier }) =>
      inTurn(async () => {
        const configured = await configuration();
        const url = new URL(redirectUri);
        url.search = query;
        const tokens = await openid.authorizationCodeGrant(configured, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        const proven = tokens.claims();
        if (!proven) throw new SignInFailed('odd', 'there is no ID token');
        if (isTold(proven, rules) || !configured.serverMetadata().userinfo_endpoint) return proven;
        // many tell the rest only to who asks for it
        const told = await openid.fetchUserInfo(configured, tokens.access_token, proven.sub);
        return { ...told, ...proven };
      }),

    endUrl: () => {
      const asked = inTurn(async () => {
        const configured = await configuration();
        if (!configured.serverMetadata().end_session_endpoint) return undefined;
        const back = `${publicUrl}/console/`;
        return openid.buildEndSessionUrl(configured, { post_logout_redirect_uri: back }).href;
      });
      // whoever leaves has left here already
      return Promise.race([asked.catch(() => undefined), setTimeout(END_PATIENCE, undefined, { ref: false })]);
    },
  };
}

/** As the issuer wants the secret told: in a header unless it takes it in the body alone. */
function proofOf(
  { None, ClientSecretBasic, ClientSecretPost }: typeof OpenIdClient,
  { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] }: OpenIdClient.ServerMetadata,
  secret: string | undefined,
): OpenIdClient.ClientAuth {
  if (secret === undefined) return None();
  return methods.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret);
}

/** By the one way out: a SuperAdmin has configured the host of the issuer, all others are as good as anybody's. */
function fetcher({ rules, outgoing, patience = PATIENCE }: IssuerOptions): OpenIdClient.CustomFetch {
  const { agent } = outgoing.to(rules.issuer, { trusted: true });
  return async (asked, { method, headers, body, signal }) => {
    const { origin, pathname, search } = new URL(asked);
    const text = body === undefined || body === null ? undefined : String(body);
    try {
      const exchange = new Exchange({ url: origin, patience: 2 * patience, ...(agent && { agent }) });
      const answer = await exchange.send(method, pathname + search, {
        headers: {
          ...headers,
          'accept-version': undefined,
          // one that was left open may be closed there in mid-request, and a code can not be brought twice
          connection: 'close',
          ...(text !== undefined && { 'content-length': String(Buffer.byteLength(text)) }),
        },
        ...(text !== undefined && { upload: Readable.from([Buffer.from(text)]) }),
        answers: ANSWERS,
        signal,
      });
      const bytes = await read(answer.body);
      return new Response(bytes.length > 0 ? bytes : null, { status: answer.status, headers: answer.headers });
    } catch (error) {
      if (error instanceof SignInFailed) throw error;
      if (signal?.aborted) throw new SignInFailed('slow', `${origin} did not answer within ${patience / 1000} s`);
      throw new SignInFailed('away', error instanceof Error ? error.message : String(error));
    }
  };
}

async function read(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) throw new SignInFailed('odd', `an answer is longer than ${MOST_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}

import { verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { checkAdmitted, users } from '../model/user.js';
import type { Credentials } from './credentials.js';
import type { Keyring } from './keyring.js';
import type { SeenSignatures } from './seen-signatures.js';
import { isSignature, parseSignatureHeader, type SignatureHeader } from './signature-header.js';
import type { SshKey } from './ssh-keys.js';

/** The request as it was received. */
export interface SignedRequest {
  method: string;
  url: string;
  httpVersion: string;
  headers: IncomingHttpHeaders;
}

export interface SignatureDeps {
  catalog: Reader;
  keyring: Pick<Keyring, 'keysOf' | 'keysIn'>;
  seenSignatures: SeenSignatures;
  now: () => Date;
  policy: { publicUrl: string | undefined };
}

/** How far a client's clock may be off, in seconds. */
const SKEW = 300;

interface Algorithm {
  /** Keys of any other type are not tried. */
  keys: SshKey['object']['asymmetricKeyType'];
  /** Ed25519 has one of its own. */
  hash: string | null;
}

/** No HMAC: the key would be the public one, which everybody has. */
const algorithms = new Map<string, Algorithm>([
  ['rsa-sha1', { keys: 'rsa', hash: 'sha1' }],
  ['rsa-sha256', { keys: 'rsa', hash: 'sha256' }],
  ['rsa-sha512', { keys: 'rsa', hash: 'sha512' }],
  ['dsa-sha1', { keys: 'dsa', hash: 'sha1' }],
  ['ecdsa-sha256', { keys: 'ec', hash: 'sha256' }],
  ['ecdsa-sha384', { keys: 'ec', hash: 'sha384' }],
  ['ecdsa-sha512', { keys: 'ec', hash: 'sha512' }],
  ['ed25519-sha512', { keys: 'ed25519', hash: null }],
]);

/** Signing one of these says that the request is one of its kind, so it is good once. */
const MARKS = ['x-request-id', 'request-id'];

/** The user whose key has signed the request; none for any other scheme. Whoever is wrong is told no more than he knows. */
export async function ofSignature(
  request: SignedRequest,
  { catalog, keyring, seenSignatures, now, policy }: SignatureDeps,
): Promise<Credentials | undefined> {
  const { authorization = '' } = request.headers;
  if (!isSignature(authorization)) return undefined;
  const header = parseSignatureHeader(authorization, request.headers['x-date'] ? 'x-date' : 'date');
  const algorithm = algorithms.get(header.algorithm);
  if (!algorithm) throw refusal(`the algorithm has to be one of ${[...algorithms.keys()].join(', ')}`);
  const time = now();
  const date = dateOf(header.signed, request, time);
  const user = await catalog.find(users, `name:${header.user}`);
  const known = [...keyring.keysOf(header.user), ...keyring.keysIn(user?.keys ?? [])];
  const keys = known.filter((key) => isMeant(key, header, algorithm));
  const signed = signingStrings(header.signed, request, policy.publicUrl).find((text) => {
    const data = Buffer.from(text, 'latin1');
    return keys.some(({ object }) => verify(algorithm.hash, data, object, header.signature));
  });
  if (signed === undefined || !user) {
    throw refusal('the signature is not by a key that is known for this user: add it with "slipway user key add"');
  }
  checkAdmitted(user);
  const isMarked = MARKS.some((name) => header.signed.includes(name));
  const oldest = new Date(time.getTime() - SKEW * 1000);
  if (isMarked && !seenSignatures.admit(`${user.name}\n${signed}`, date, oldest)) {
    throw refusal('the signature was used already: sign every request, with an x-request-id of its own');
  }
  return { user, scope: 'full' };
}

function isMeant({ object, fingerprints }: SshKey, { fingerprint }: SignatureHeader, { keys }: Algorithm): boolean {
  return object.asymmetricKeyType === keys && (fingerprint === undefined || fingerprints.includes(fingerprint));
}

/** The earliest of the dates that were signed: it ends first. */
function dateOf(signed: readonly string[], { headers }: SignedRequest, now: Date): Date {
  const dates = ['x-date', 'date']
    .filter((name) => signed.includes(name))
    .map((name) => checkDate(name, headers[name], now));
  if (dates.length === 0) throw refusal('date or x-date has to be among what is signed');
  return new Date(Math.min(...dates));
}

function checkDate(name: string, value: unknown, now: Date): number {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw refusal(`the ${name} header is missing or no date`);
  const behind = (now.getTime() - time) / 1000;
  if (Math.abs(behind) <= SKEW) return time;
  const off = `${Math.round(Math.abs(behind))} s ${behind > 0 ? 'behind' : 'ahead of'}`;
  throw refusal(`the ${name} header is ${off} the clock of the server; ${SKEW} s are allowed`);
}

/** What the client may have signed: behind a proxy that takes the path of the public URL away, with that path too. */
function signingStrings(signed: readonly string[], request: SignedRequest, publicUrl: string | undefined): string[] {
  const base = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
  const texts = ['', base].map((path) =>
    signed.map((name) => signedLine(name, { ...request, url: path + request.url })).join('\n'),
  );
  return [...new Set(texts)];
}

function signedLine(name: string, { method, url, httpVersion, headers }: SignedRequest): string {
  if (name === '(request-target)') return `${name}: ${method.toLowerCase()} ${url}`;
  if (name === 'request-line') return `${method} ${url} HTTP/${httpVersion}`;
  if (Object.hasOwn(headers, name)) return `${name}: ${headers[name]}`;
  throw refusal('a header is among what is signed but was not sent');
}

const refusal = (why: string) => new ImgapiError('UnauthorizedError', why);

import { ImgapiError } from '../../imgapi/errors.js';

/** What `Authorization: Signature keyId="…",algorithm="…",headers="…",signature="…"` says. */
export interface SignatureHeader {
  user: string;
  /** Of the key, where keyId has the form `/user/keys/fingerprint`. */
  fingerprint: string | undefined;
  algorithm: string;
  /** The names of what was signed, in lower case and in order. */
  signed: string[];
  signature: Buffer;
}

const SCHEME = 'Signature ';
const MAX_LENGTH = 8 * 1024;
const MOST_SIGNED = 32;

/** One parameter and the comma behind it; numbers, such as `created=…`, stand without quotes. */
const PARAMETER = /([A-Za-z]+)=(?:"([^"]*)"|\d+)(?:, ?(?=[A-Za-z])|$)/y;
const KEY_ID = /^(?:([^/]+)|\/([^/]+)\/keys\/(.+))$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export const isSignature = (authorization: string) => authorization.startsWith(SCHEME);

export function parseSignatureHeader(authorization: string, signedUnlessSaid: string): SignatureHeader {
  if (authorization.length > MAX_LENGTH) throw malformed(`it is longer than ${MAX_LENGTH} characters`);
  const parameters = readParameters(authorization.slice(SCHEME.length).trim());
  const given = (name: string): string => {
    const value = parameters.get(name);
    if (value) return value;
    throw malformed(`${name} is missing`);
  };
  const [, bare, owner, fingerprint] = KEY_ID.exec(given('keyId')) ?? [];
  const user = bare ?? owner;
  if (user === undefined) throw malformed('keyId is neither a user name nor /user/keys/fingerprint');
  if (!BASE64.test(given('signature'))) throw malformed('signature is not base64');
  const signed = (parameters.get('headers') || signedUnlessSaid).toLowerCase().split(' ');
  if (signed.length > MOST_SIGNED) throw malformed(`more than ${MOST_SIGNED} headers are signed`);
  return {
    user,
    fingerprint,
    algorithm: given('algorithm').toLowerCase(),
    signed,
    signature: Buffer.from(given('signature'), 'base64'),
  };
}

function readParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  let end = 0;
  for (const [whole, name = '', value = ''] of text.matchAll(new RegExp(PARAMETER, 'gy'))) {
    if (parameters.has(name)) throw malformed(`${name} is given twice`);
    parameters.set(name, value);
    end += whole.length;
  }
  if (end !== text.length) throw malformed('write it like keyId="…",algorithm="…",signature="…"');
  return parameters;
}

const malformed = (what: string) =>
  new ImgapiError('UnauthorizedError', `the signature in the Authorization header can not be read: ${what}`);

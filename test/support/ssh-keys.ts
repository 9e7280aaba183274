import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import sshpk from 'sshpk';

const makers = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-1024': () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  'rsa-768': () => generateKeyPairSync('rsa', { modulusLength: 768 }),
  dsa: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
  'ecdsa-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ecdsa-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'ecdsa-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: () => generateKeyPairSync('ed25519'),
};

export type KeyKind = keyof typeof makers;

export interface TestKey {
  /** As it stands in `authorized_keys`, without a comment. */
  line: string;
  md5: string;
  sha256: string;
  /** As a client has it in a file. */
  pem: string;
  privateKey: KeyObject;
}

const made = new Map<string, TestKey>();

/** A key pair; the same for the same kind and name. */
export function sshKey(kind: KeyKind, name = ''): TestKey {
  const known = made.get(`${kind} ${name}`);
  if (known) return known;
  const { publicKey, privateKey } = makers[kind]();
  const key = sshpk.parseKey(publicKey.export({ type: 'spki', format: 'pem' }), 'pem');
  const fresh = {
    line: key.toString('ssh').split(' ').slice(0, 2).join(' '),
    md5: key.fingerprint('md5').toString('hex'),
    sha256: key.fingerprint('sha256').toString('base64'),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  };
  made.set(`${kind} ${name}`, fresh);
  return fresh;
}

export interface Signing {
  key: TestKey;
  keyId: string;
  algorithm: string;
  /** What is signed, in order; the parameter is left out where there is nothing here. */
  signed?: string[];
  method?: string;
  path?: string;
  headers?: Record<string, string>;
}

/** The headers of a signed request: those given, `date` where there is none, and `authorization`. */
export function signedHeaders({ key, keyId, algorithm, signed, ...request }: Signing): Record<string, string> {
  const { method = 'GET', path = '/ping' } = request;
  const headers = { date: new Date().toUTCString(), ...request.headers };
  const lines = (signed ?? ['date']).map((name) => {
    if (name === '(request-target)') return `${name}: ${method.toLowerCase()} ${path}`;
    if (name === 'request-line') return `${method} ${path} HTTP/1.1`;
    return `${name}: ${(headers as Record<string, string>)[name]}`;
  });
  const [, hash = ''] = algorithm.toLowerCase().split('-');
  const isEd25519 = key.privateKey.asymmetricKeyType === 'ed25519';
  const signature = sign(isEd25519 ? null : hash, Buffer.from(lines.join('\n')), key.privateKey).toString('base64');
  const list = signed ? `,headers="${signed.join(' ')}"` : '';
  const authorization = `Signature keyId="${keyId}",algorithm="${algorithm}",signature="${signature}"${list}`;
  return { ...headers, authorization };
}

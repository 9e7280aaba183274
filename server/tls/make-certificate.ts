import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { bits, nothing, objectId, octets, positive, sequence, set, tagged, time, utf8, wrapped, yes } from './der.js';

export interface NewCertificate {
  /** Names and addresses of the server. */
  names: readonly string[];
  from: Date;
  until: Date;
}

export interface Pem {
  certificate: string;
  key: string;
}

const oid = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  sha256WithRsa: '1.2.840.113549.1.1.11',
};

/** RSA, which the oldest clients know too. It signs itself, and can sign no other: to trust it is to trust one server. */
export async function makeCertificate({ names, from, until }: NewCertificate): Promise<Pem> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const algorithm = sequence(objectId(oid.sha256WithRsa), nothing);
  const subject = sequence(set(sequence(objectId(oid.commonName), utf8((names[0] ?? '').slice(0, 64)))));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(
    wrapped(0, positive(Buffer.from([2]))),
    positive(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    subject,
    sequence(time(from), time(until)),
    subject,
    spki,
    wrapped(3, sequence(...extensions(names, spki))),
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Without keyUsage: OpenSSL 1.0 takes no certificate for its own issuer whose key may not sign certificates. */
function extensions(names: readonly string[], spki: Buffer): Buffer[] {
  const keyId = createHash('sha1').update(spki).digest();
  return [
    sequence(objectId(oid.basicConstraints), yes, octets(sequence())),
    sequence(objectId(oid.extendedKeyUsage), octets(sequence(objectId(oid.serverAuth)))),
    sequence(objectId(oid.subjectKeyIdentifier), octets(octets(keyId))),
    // By this, clients that trust several of the same name tell which is meant.
    sequence(objectId(oid.authorityKeyIdentifier), octets(sequence(tagged(0, keyId)))),
    sequence(objectId(oid.subjectAltName), octets(sequence(...names.map(generalName)))),
  ];
}

const DNS_NAME = 2;
const IP_ADDRESS = 7;

const generalName = (name: string) =>
  isIP(name) === 0 ? tagged(DNS_NAME, Buffer.from(name)) : tagged(IP_ADDRESS, addressBytes(name));

/** 4 or 16 bytes. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // A URL spells an address of the form 1:2::1.2.3.4 in hexadecimal.
  const hex = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before = [], after = []] = hex.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return Buffer.from(groups.join(''), 'hex');
}

const pem = (label: string, der: Buffer) =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

export interface Passing {
  isProxy: (address: string) => boolean;
  /** The header in which proxies pass certificates on. */
  header: string | undefined;
  now: Date;
}

/** Parsed once for a connection: it stays the same. */
const seen = new WeakMap<TLSSocket, X509Certificate | undefined>();

/**
 * The SHA-256 fingerprint of the certificate that the client has proven to hold, in lower-case hex. That of a proxy
 * proves the proxy: behind one, what it passes on is what counts.
 */
export function clientCertificate(req: IncomingMessage, { isProxy, header, now }: Passing): string | undefined {
  if (isProxy(req.socket.remoteAddress ?? '')) {
    const passed = header === undefined ? undefined : req.headers[header];
    return typeof passed === 'string' ? fingerprintIn(passed, now) : undefined;
  }
  return req.socket instanceof TLSSocket ? fingerprintOf(ofConnection(req.socket), now) : undefined;
}

function ofConnection(socket: TLSSocket): X509Certificate | undefined {
  if (!seen.has(socket)) seen.set(socket, socket.getPeerX509Certificate());
  return seen.get(socket);
}

function fingerprintOf(certificate: X509Certificate | undefined, now: Date): string | undefined {
  if (!certificate || Date.parse(certificate.validTo) < now.getTime()) return undefined;
  return plain(certificate.fingerprint256);
}

const plain = (fingerprint: string) => fingerprint.replaceAll(':', '').toLowerCase();

function fingerprintIn(passed: string, now: Date): string | undefined {
  if (/^[0-9a-f]{64}$/.test(plain(passed))) return plain(passed);
  try {
    return fingerprintOf(new X509Certificate(decodeURIComponent(passed)), now);
  } catch {
    return undefined; // what is no certificate proves nobody
  }
}

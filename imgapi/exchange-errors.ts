import { isRecord } from './checks.js';
import { type ErrorDetails, ImgapiError } from './errors.js';

/** No connection, or one that broke: its cause has the code of the system or of TLS, such as ECONNREFUSED. */
export class Unreachable extends ImgapiError {
  override name = 'Unreachable';

  constructor(message: string, details: ErrorDetails) {
    super('RemoteSourceError', message, details);
  }
}

/** It is not asked again: the address is closed to whoever wanted it, or the certificate there does not fit. */
export class Barred extends Unreachable {
  override name = 'Barred';
}

/** There was an answer, but not one that a server of ours gives. */
export class AnsweredBadly extends ImgapiError {
  override name = 'AnsweredBadly';
  /** The HTTP status of that answer. */
  readonly answered: number;

  constructor(answered: number, message: string, details: ErrorDetails) {
    super('RemoteSourceError', message, details);
    this.answered = answered;
  }
}

/** What certificates fail with, and what that means to those who chose the server. */
const certificates: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself: name it as the CA of this source',
  SELF_SIGNED_CERT_IN_CHAIN: 'the CA that signed it is not known here: name it as the CA of this source',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the CA that signed it is not known here: name it as the CA of this source',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the CA that signed it is not known here: name it as the CA of this source',
  CERT_SIGNATURE_FAILURE: 'its signature is not that of its CA',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
};

/** The code of a connection that had served before, and was closed before anything was answered to this request. */
export const STALE_CONNECTION = 'ERR_STALE_CONNECTION';

export const wasStale = (error: unknown): boolean =>
  error instanceof Unreachable && isRecord(error.cause) && error.cause.code === STALE_CONNECTION;

/** Without what node-fetch puts in front of it. */
export const reasonOf = ({ message }: Error) => message.replace(/^request to .*? failed, reason: /, '');

/** Why it is of no use to try again; nothing where it may be. */
export function barring(cause: Error & { code?: unknown }): string | undefined {
  const code = String(cause.code);
  const reason = reasonOf(cause);
  if (code === 'ERR_CLOSED_ADDRESS') return reason;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name: ${reason}`;
  const what = Object.hasOwn(certificates, code) ? certificates[code] : undefined;
  return what && `its certificate is not trusted: ${what} (${reason})`;
}

/** Refusals that may not last. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Is it of use to ask again, a little later? */
export function isPassing(error: unknown): boolean {
  if (error instanceof AnsweredBadly) return passing.has(error.answered);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AnsweredBadly) return passing.has(cause.answered);
  return error instanceof Unreachable && !(error instanceof Barred);
}

import { randomUUID } from 'node:crypto';
import type { ExchangeOptions } from '../imgapi/exchange.js';
import { CliError } from './errors.js';

/** A private key, wherever it is kept. */
export interface SigningKey {
  /** As ssh-keygen shows it. */
  fingerprint: string;
  /** As http-signature names it. */
  algorithm: string;
  sign(data: Buffer): Promise<Buffer>;
}

export type Sign = NonNullable<ExchangeOptions['sign']>;

/** A slash would make a path of it, a quote would end it. */
const USER = /^[^\s"/]+$/;

/**
 * Signs each request as a draft http-signature. With the request id the signature is good once, with the target for
 * nothing else, and with the host nowhere else.
 */
export function signing(user: string, key: SigningKey): Sign {
  if (!USER.test(user)) throw new CliError(`"${user}" is not the name of a user`);
  return async ({ method, path, host }) => {
    const date = new Date().toUTCString();
    const id = randomUUID();
    const signed = {
      date,
      'x-request-id': id,
      '(request-target)': `${method.toLowerCase()} ${path}`,
      host,
    };
    const text = Object.entries(signed).map(([name, value]) => `${name}: ${value}`);
    const signature = (await key.sign(Buffer.from(text.join('\n')))).toString('base64');
    const parameters = { keyId: user, algorithm: key.algorithm, headers: Object.keys(signed).join(' '), signature };
    const authorization = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
    return { date, 'x-request-id': id, authorization: `Signature ${authorization.join(',')}` };
  };
}

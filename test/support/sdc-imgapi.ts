import { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { ExecutionContext } from 'ava';
import type { Wire } from './ask.js';

/** What the methods of the client end with: an error, or what they are called for; the response among the arguments. */
type Callback = (error: SdcError | null | undefined, ...results: unknown[]) => void;

export interface SdcError extends Error {
  statusCode?: number;
  body?: { code?: string; message?: string; errors?: Wire['errors'] };
}

interface SdcClient {
  close(): void;
  [method: string]: (...given: unknown[]) => void;
}

interface Imgapi {
  (...given: unknown[]): void;
  prototype: object;
  createClient(options: object): SdcClient;
  /** Takes the path of a private key, or a fingerprint, as keyId. */
  cliSigner(options: { keyId: string; user: string }): Signer;
}

/** What the client signs with. */
export type Signer = (text: string, done: (error: Error | null, signature?: { algorithm: string }) => void) => void;

const imgapi: Imgapi = createRequire(import.meta.url)('sdc-clients/lib/imgapi.js');

export const { cliSigner } = imgapi;

export function algorithmOf(sign: Signer): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    sign('text', (error, signature) => (error ? reject(error) : resolve(signature?.algorithm)));
  });
}

/** Every method by which the client asks a server. */
export const methods = Object.keys(imgapi.prototype).filter((name) => name !== 'close' && !name.startsWith('_'));

export interface Outcome<T> {
  value: T;
  response: IncomingMessage;
}

export interface Sdc {
  /** The value is the first result that is no response. */
  call<T = Wire>(method: string, ...given: unknown[]): Promise<Outcome<T>>;
  /** Status, code and fields with which the call is refused; throws when it is not. */
  refused(method: string, ...given: unknown[]): Promise<Refusal>;
}

export interface Refusal {
  status: number | undefined;
  code: string | undefined;
  fields: string[];
  message: string | undefined;
}

/** The IMGAPI client of sdc-clients, whose callbacks come in many forms, with promises. `called` learns every method used. */
export function sdcClient(t: Pick<ExecutionContext, 'teardown'>, options: object, called: Set<string>): Sdc {
  const client = imgapi.createClient(options);
  t.teardown(() => client.close());

  const call = <T>(method: string, ...given: unknown[]): Promise<Outcome<T>> =>
    new Promise((resolve, reject) => {
      called.add(method);
      const done: Callback = (error, ...results) => {
        if (error) reject(error);
        const response = results.find((result) => result instanceof IncomingMessage);
        const value = results.find((result) => result !== response);
        if (response) resolve({ value: value as T, response });
        else reject(new Error(`${method} has no response`));
      };
      client[method]!(...given, done);
    });

  const refused = async (method: string, ...given: unknown[]): Promise<Refusal> => {
    const error: SdcError = await call(method, ...given).then(
      () => {
        throw new Error(`${method} was not refused`);
      },
      (refusal: SdcError) => refusal,
    );
    if (!error.body) throw error;
    const { code, message, errors = [] } = error.body;
    return { status: error.statusCode, code, message, fields: errors.map(({ field, code }) => `${field} ${code}`) };
  };
  return { call, refused };
}

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, ImgapiError } from '../imgapi/errors.js';

/** For what never reaches the application: the answer is written as it goes over the wire, and is the last one. */
export function refuseOnSocket(
  socket: Duplex,
  code: ErrorCode,
  message: string,
  headers: readonly string[] = [],
): void {
  const refusal = new ImgapiError(code, message);
  const body = JSON.stringify(refusal, null, 2);
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

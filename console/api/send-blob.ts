import { addressOf, ask, Refusal, refusalOf, Unreachable } from './ask.js';

interface Sending {
  method: 'POST' | 'PATCH' | 'HEAD' | 'DELETE';
  path: string;
  query?: Parameters<typeof addressOf>[1];
  headers: Readonly<Record<string, string>>;
  body?: Blob;
  /** So many bytes of the body have left. */
  onProgress?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** What `fetch` does, which does not tell how much of a body has left. */
export async function sendBlob(sending: Sending): Promise<Response> {
  const response = await sent(sending);
  if (response.ok) return response;
  if (response.status === 401) {
    // Whoever is signed out is asked to sign in, as after every other call, and it goes on.
    await ask('/account', { ...(sending.signal && { signal: sending.signal }) });
    return sendBlob(sending);
  }
  const told = await response.json().catch(() => undefined);
  throw refusalOf(response, told);
}

function sent({ method, path, query, headers, body, onProgress, signal }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const end = () => signal?.removeEventListener('abort', abort);
    request.open(method, addressOf(path, query));
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress?.(loaded);
    request.onload = () => {
      end();
      resolve(responseOf(request));
    };
    request.onerror = () => {
      end();
      reject(new Unreachable('the connection was cut'));
    };
    request.onabort = () => {
      end();
      reject(new DOMException('it was stopped', 'AbortError'));
    };
    if (signal?.aborted) return reject(new DOMException('it was stopped', 'AbortError'));
    signal?.addEventListener('abort', abort);
    request.send(body ?? null);
  });
}

function responseOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/\r?\n/)) {
    const [name = '', ...value] = line.split(': ');
    if (name !== '') headers.append(name, value.join(': '));
  }
  const { status } = request;
  return new Response(status === 204 ? null : request.responseText, { status, headers });
}

/** Whether the same may succeed a moment later. */
export const isTransient = (error: unknown) =>
  error instanceof Unreachable ||
  (error instanceof Refusal && (error.status >= 500 || [409, 423, 429].includes(error.status)));

import { connect } from 'node:net';

/** An answer as its bytes spell it. */
export interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  body: Buffer;
}

const PATIENCE = 60_000;

interface Exchange {
  bytes: Buffer;
  /** Nothing more is coming, and the server is told so. */
  ends?: boolean;
  /** No body belongs to the answer, whatever its length. */
  isHead?: boolean;
  /** After how many answers to hang up; one unless told otherwise. */
  answers?: number;
}

/** Sends these bytes and nothing more; resolves with what comes back: so many answers, or all until the server closes. */
export function exchange(
  port: number,
  { bytes, ends = false, isHead = false, answers = 1 }: Exchange,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let back = Buffer.alloc(0);
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`silent for ${PATIENCE} ms after ${back}`)));
    socket.on('data', (chunk: Buffer) => {
      back = Buffer.concat([back, chunk]);
      if (!ends && readAnswers(back, isHead).length >= answers) socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // a server that refuses may close before it has read everything
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.once('close', () => resolve(back));
    if (ends) socket.end(bytes);
    else socket.write(bytes);
  });
}

/** The answers in what came back, those that are whole; throws where it is no HTTP. */
export function readAnswers(bytes: Buffer, isHead = false): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3})( .*)?$/.exec(first) ?? [];
    if (!status) throw new Error(`no HTTP: ${rest.subarray(0, 200)}`);
    rest = rest.subarray(end + 4);
    if (status === '100') continue;
    const headers = new Map(lines.map((line) => splitHeader(line)));
    const bodiless = isHead || status === '204' || status === '304';
    const isChunked = !bodiless && headers.get('transfer-encoding') === 'chunked';
    const taken = isChunked ? chunked(rest) : ofLength(rest, bodiless ? 0 : Number(headers.get('content-length')));
    if (!taken) return answers;
    answers.push({ status: Number(status), headers, body: taken.body });
    rest = rest.subarray(taken.bytes);
  }
  return answers;
}

/** A body, and how many bytes it took; nothing while it is not whole. */
interface Taken {
  body: Buffer;
  bytes: number;
}

function ofLength(rest: Buffer, length: number): Taken | undefined {
  if (Number.isNaN(length)) throw new Error(`no length before ${rest.subarray(0, 200)}`);
  return rest.length < length ? undefined : { body: rest.subarray(0, length), bytes: length };
}

function chunked(rest: Buffer): Taken | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = rest.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(rest.subarray(at, end).toString('latin1'), 16);
    const next = end + 2 + size + 2;
    if (rest.length < next) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), bytes: next };
    chunks.push(rest.subarray(end + 2, end + 2 + size));
    at = next;
  }
}

export function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(': ');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
}

import { randomUUID } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

/** The server that is asked, and what there is to ask it for. */
export interface Target {
  port: number;
  token: string;
  /** Active images, all of this name, whose files have this size. */
  uuids: string[];
  name: string;
  size: number;
}

/** The target, and connections to it. */
interface Reached extends Target {
  agent: Agent;
}

export interface Watch {
  took(what: string, milliseconds: number): void;
  /** What was not expected. */
  failed(what: string, error: Error): void;
}

interface Client {
  what: string;
  /** How many do this at the same time. */
  atATime: number;
  round(on: Reached, n: number): Promise<void>;
}

/** Few enough, and always the same: a store keeps no more of them after an hour than after a minute. */
const files = Array.from({ length: 16 }, (_, n) => Buffer.alloc(2 << 20, `file ${n}, `));

/** What clients do, well or badly. */
export const clients: readonly Client[] = [
  {
    what: 'download',
    atATime: 20,
    round: async (on, n) => whole(await ask(on, 'GET', `${imageOf(on, n)}/file`), on.size),
  },
  {
    what: 'range',
    atATime: 8,
    round: async (on, n) => {
      const start = (n * 65_537) % (on.size >> 1);
      const headers = { Range: `bytes=${start}-${start + (on.size >> 1) - 1}` };
      whole(await ask(on, 'GET', `${imageOf(on, n)}/file`, { headers }), on.size >> 1);
    },
  },
  {
    what: 'cut download',
    atATime: 4,
    round: (on, n) => cut(on, `GET ${imageOf(on, n)}/file HTTP/1.1`, { behind: on.size >> 1 }),
  },
  { what: 'upload', atATime: 2, round: (on, n) => withImage(on, n, (path) => upload(on, path, n)) },
  {
    what: 'cut upload',
    atATime: 1,
    round: (on, n) => withImage(on, n, (path) => cutUpload(on, path, n)),
  },
  {
    what: 'cut request',
    atATime: 1,
    round: (on) => cut(on, 'POST /images HTTP/1.1', { headers: ['Content-Length: 1000'], body: Buffer.from('{"na') }),
  },
  { what: 'change', atATime: 1, round: (on, n) => withImage(on, n, (path) => change(on, path)) },
  {
    what: 'list',
    atATime: 1,
    round: async (on) => contains(await ask(on, 'GET', '/images'), on.uuids),
  },
  {
    what: 'filtered list',
    atATime: 1,
    round: async (on) => contains(await ask(on, 'GET', `/images?name=${on.name}`), on.uuids),
  },
  {
    what: 'manifest',
    atATime: 2,
    round: async (on, n) => contains(await ask(on, 'GET', imageOf(on, n)), [on.uuids[n % on.uuids.length]!]),
  },
  { what: 'ping', atATime: 1, round: async (on) => contains(await ask(on, 'GET', '/ping'), ['pong']) },
];

/** All of them at the same time, each as long as it is let go on. */
export async function mixedLoad(
  target: Target,
  which: readonly Client[],
  goOn: (what: string, round: number) => Promise<boolean>,
  watch: Watch,
): Promise<void> {
  const on: Reached = { ...target, agent: new Agent({ keepAlive: true }) };
  const work = async ({ what, round }: Client, first: number) => {
    for (let n = 0; await goOn(what, n); n += 1) {
      const start = performance.now();
      try {
        await round(on, first + n);
        watch.took(what, performance.now() - start);
      } catch (error) {
        watch.failed(what, error as Error);
      }
    }
  };
  const all = which.flatMap((client) => Array.from({ length: client.atATime }, (_, n) => work(client, n)));
  try {
    await Promise.all(all);
  } finally {
    on.agent.destroy();
  }
}

interface Asked {
  headers?: Record<string, string | number>;
  body?: Buffer | object;
}

interface Answer {
  status: number;
  /** How many bytes have come; they are kept only where it is JSON. */
  length: number;
  json: unknown;
}

/** Of the images that stay, one after the other. */
const imageOf = ({ uuids }: Target, n: number) => `/images/${uuids[n % uuids.length]}`;

/** An image of one's own, from its beginning to its end. */
async function withImage(on: Reached, n: number, work: (path: string) => Promise<void>): Promise<void> {
  const body = { name: `passing-${n % 100}`, version: '1.0.0', type: 'other', os: 'other', public: true };
  const { uuid } = (await ask(on, 'POST', '/images', { body })).json as { uuid: string };
  try {
    await work(`/images/${uuid}`);
  } finally {
    await ask(on, 'DELETE', `/images/${uuid}`);
  }
}

async function upload(on: Reached, path: string, n: number): Promise<void> {
  const body = files[n % files.length]!;
  await ask(on, 'PUT', `${path}/file?compression=none`, { body });
  await ask(on, 'POST', `${path}?action=activate`, { body: {} });
  whole(await ask(on, 'GET', `${path}/file`), body.length);
}

async function cutUpload(on: Reached, path: string, n: number): Promise<void> {
  const file = files[n % files.length]!;
  const head = `PUT ${path}/file?compression=none HTTP/1.1`;
  await cut(on, head, { headers: [`Content-Length: ${file.length}`], body: file.subarray(0, file.length >> 1) });
}

async function change(on: Reached, path: string): Promise<void> {
  await ask(on, 'POST', `${path}?action=update`, { body: { description: randomUUID() } });
  await ask(on, 'GET', path, { headers: { Authorization: `Bearer ${on.token}` } });
}

/** Refusals are errors: nothing is asked here that may be refused. */
async function ask(on: Reached, method: string, path: string, { headers = {}, body }: Asked = {}): Promise<Answer> {
  const isJson = body !== undefined && !Buffer.isBuffer(body);
  const payload = isJson ? Buffer.from(JSON.stringify(body)) : (body as Buffer | undefined);
  const sent = request({
    port: on.port,
    host: '127.0.0.1',
    method,
    path,
    agent: on.agent,
    headers: {
      ...(method !== 'GET' && { Authorization: `Bearer ${on.token}` }),
      ...(isJson && { 'Content-Type': 'application/json' }),
      ...(payload && { 'Content-Length': payload.length }),
      ...headers,
    },
  });
  const answer = await answerTo(sent, payload);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
  return answer;
}

function answerTo(sent: ClientRequest, payload: Buffer | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject).once('response', (response: IncomingMessage) => {
      const isJson = response.headers['content-type']?.startsWith('application/json');
      const kept: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (isJson) kept.push(chunk);
      });
      response.once('error', reject).once('end', () => {
        const json = kept.length > 0 ? JSON.parse(Buffer.concat(kept).toString()) : undefined;
        resolve({ status: response.statusCode!, length, json });
      });
    });
    sent.end(payload);
  });
}

interface Cut {
  headers?: string[];
  body?: Buffer;
  /** Bytes of the answer after which the client has had enough; as soon as all is sent where none are given. */
  behind?: number;
}

/** A client that vanishes in the middle. */
function cut(on: Target, line: string, { headers = [], body, behind }: Cut): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = behind ?? 0;
    const socket = connect({ port: on.port, host: '127.0.0.1' });
    socket.once('error', reject).once('close', resolve);
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (behind !== undefined && left <= 0) socket.resetAndDestroy();
    });
    const head = [line, 'Host: 127.0.0.1', `Authorization: Bearer ${on.token}`, ...headers].join('\r\n');
    socket.write(`${head}\r\n\r\n`);
    socket.write(body ?? '', () => {
      if (behind === undefined) socket.destroy();
    });
  });
}

function whole({ length }: Answer, expected: number): void {
  if (length !== expected) throw new Error(`${length} bytes have come instead of ${expected}`);
}

function contains({ json }: Answer, expected: string[]): void {
  const text = JSON.stringify(json);
  for (const one of expected) if (!text.includes(one)) throw new Error(`${one} is not in the answer`);
}

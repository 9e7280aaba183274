import { createPublicKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratch } from './scratch.js';
import type { TestKey } from './ssh-keys.js';

export interface Agent {
  socket: string;
  /** How often it was asked to sign. */
  signed(): number;
}

/** What it does with the answer to a question; as it is, unless given. */
export type Behaviour = (answer: Buffer, socket: Socket) => void;

const LIST = 11;
const SIGN = 13;
const FAILURE = Buffer.of(5);

/** An ssh-agent on a socket of its own, which holds these keys. */
export async function startAgent(
  t: Pick<ExecutionContext, 'teardown'>,
  keys: readonly TestKey[],
  behave: Behaviour = (answer, socket) => socket.write(answer),
): Promise<Agent> {
  const path = join(await scratch(t), 'agent');
  const sockets = new Set<Socket>();
  let signed = 0;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    let read = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      while (read.length >= 4 && read.length >= 4 + read.readUInt32BE()) {
        const question = read.subarray(4, 4 + read.readUInt32BE());
        read = read.subarray(4 + question.length);
        if (question[0] === SIGN) signed += 1;
        behave(string(answerTo(question, keys)), socket);
      }
    });
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { socket: path, signed: () => signed };
}

function answerTo(question: Buffer, keys: readonly TestKey[]): Buffer {
  if (question[0] === LIST) {
    const held = keys.flatMap((key) => [string(blobOf(key)), string(Buffer.from('a comment'))]);
    return Buffer.concat([Buffer.of(12), number(keys.length), ...held]);
  }
  if (question[0] !== SIGN) return FAILURE;
  const blob = stringAt(question, 1);
  const data = stringAt(question, 5 + blob.length);
  const flags = question.readUInt32BE(9 + blob.length + data.length);
  const key = keys.find((one) => blobOf(one).equals(blob));
  return key ? Buffer.concat([Buffer.of(14), string(signature(key, data, flags))]) : FAILURE;
}

/** As the agent of OpenSSH: RSA with what the flags ask for, and without any with SHA-1. */
function signature({ privateKey }: TestKey, data: Buffer, flags: number): Buffer {
  const type = privateKey.asymmetricKeyType;
  if (type === 'rsa') {
    const [name, hash] = flags & 2 ? ['rsa-sha2-256', 'sha256'] : ['ssh-rsa', 'sha1'];
    return named(name, sign(hash, data, privateKey));
  }
  if (type === 'ed25519') return named('ssh-ed25519', sign(null, data, privateKey));
  const { namedCurve = '' } = createPublicKey(privateKey).asymmetricKeyDetails ?? {};
  const [name, hash] = curves[namedCurve]!;
  const pair = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const half = pair.length / 2;
  return named(name, Buffer.concat([positive(pair.subarray(0, half)), positive(pair.subarray(half))]));
}

const curves: Record<string, [name: string, hash: string]> = {
  prime256v1: ['ecdsa-sha2-nistp256', 'sha256'],
  secp384r1: ['ecdsa-sha2-nistp384', 'sha384'],
  secp521r1: ['ecdsa-sha2-nistp521', 'sha512'],
};

const named = (name: string, bytes: Buffer) => Buffer.concat([string(Buffer.from(name)), string(bytes)]);

const blobOf = ({ line }: TestKey) => Buffer.from(line.split(' ')[1] ?? '', 'base64');

/** A number as ssh writes it: the shortest form whose first bit is not set. */
function positive(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(first);
  return string(short[0]! & 0x80 ? Buffer.concat([Buffer.of(0), short]) : short);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const string = (bytes: Buffer): Buffer => Buffer.concat([number(bytes.length), bytes]);

const stringAt = (bytes: Buffer, at: number) => bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at));

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { replaceFile } from '../../storage/durable.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import { publicLineOf } from './ssh.js';

/** What proves this server to the nodes. */
export interface NodeKey {
  private: string;
  /** As in `authorized_keys`. */
  public: string;
}

/** The key that stands in the file, made where there is none. */
export async function openNodeKey(path: string): Promise<NodeKey> {
  const found = await findNodeKey(path);
  if (found) return found;
  const made = makeKey('slipway');
  await replaceFile(path, made.private);
  return made;
}

/** The key that stands in the file, if there is one. */
export async function findNodeKey(path: string): Promise<NodeKey | undefined> {
  const text = await readPrivate(path);
  return text === undefined ? undefined : nodeKeyIn(text, path);
}

/** `place`: where it stands, for people. */
export function nodeKeyIn(text: string, place: string): NodeKey {
  const line = publicLineOf(text);
  if (line !== undefined) return { private: text, public: line };
  throw new OperatorMistake(
    `${place} holds no private key without a passphrase: put back the one that stood there, or remove the file for a new one that the nodes have to be given`,
  );
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new OperatorMistake(`others can read ${path}, which opens the nodes: "chmod 600" it, and think of who has`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** An Ed25519 key as OpenSSH keeps it in a file, without a passphrase. */
export function makeKey(comment: string): NodeKey {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const point = Buffer.from(x, 'base64url');
  const blob = Buffer.concat([string('ssh-ed25519'), string(point)]);
  const check = randomBytes(4);
  const pair = string(Buffer.concat([Buffer.from(d, 'base64url'), point]));
  const secret = Buffer.concat([check, check, blob, pair, string(comment)]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, -secret.length & 7));
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(string),
    number(1),
    string(blob),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    private: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    public: `ssh-ed25519 ${blob.toString('base64')}`,
  };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([number(bytes.length), bytes]);
}

import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sshpk from 'sshpk';
import { type Agent, sshAgent } from './agent.js';
import { askSecret, isAttended } from './ask.js';
import { atPath } from './at-path.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import type { SigningKey } from './sign.js';

type Asking = Pick<Context, 'io' | 'signal' | 'env'>;
type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const hashes: Partial<Record<string, Hash>> = { rsa: 'sha256', dsa: 'sha1', ed25519: 'sha512' };

/** The ssh-agent leaves no choice with these. */
const hashesOfCurves: Partial<Record<string, Hash>> = { nistp256: 'sha256', nistp384: 'sha384', nistp521: 'sha512' };

/**
 * The keys that may be meant: the one in a file; the one that the ssh-agent holds for a fingerprint or a public half; or,
 * where nothing is named, all that the ssh-agent holds.
 */
export async function signingKeys(named: string | undefined, asking: Asking): Promise<SigningKey[]> {
  const agent = sshAgent(asking.env.SSH_AUTH_SOCK, asking.signal);
  if (named === undefined) {
    const held = await keysOf(agent);
    if (held.length > 0) return held.map(({ signer }) => signer);
    throw new CliError('the ssh-agent holds no key that can sign', { hint: 'add one with ssh-add' });
  }
  const fingerprint = asFingerprint(named);
  if (fingerprint) return [await heldBy(agent, named, (key) => fingerprint.matches(key))];
  const text = await atPath(named, readFile(named, 'utf8'));
  if (!text.includes('PRIVATE KEY-----')) return [await heldBy(agent, named, isSameAs(publicKey(named, text)))];
  const plain = withoutPassphrase(named, text);
  if (plain) return [ofFile(plain)];
  // an agent that has it already spares the question
  const half = await readFile(`${named}.pub`, 'utf8').catch(() => undefined);
  const held = half === undefined ? undefined : await find(agent, isSameAs(publicKey(`${named}.pub`, half)));
  return [held ?? ofFile(await withPassphrase(named, text, asking))];
}

function asFingerprint(text: string): sshpk.Fingerprint | undefined {
  try {
    return sshpk.parseFingerprint(text);
  } catch {
    return undefined;
  }
}

function publicKey(path: string, text: string): sshpk.Key {
  try {
    return sshpk.parseKey(text, 'auto');
  } catch (cause) {
    throw new CliError(`${path} holds no ssh key`, { hint: 'name the file that ssh-keygen made', cause });
  }
}

/** Nothing where it is encrypted. */
function withoutPassphrase(path: string, text: string): sshpk.PrivateKey | undefined {
  if (/ENCRYPTED/.test(text.slice(0, 200))) return undefined;
  try {
    return decode(text);
  } catch (cause) {
    if (cause instanceof sshpk.KeyEncryptedError) return undefined;
    throw new CliError(`${path} holds no key that can sign`, { hint: 'is the file whole?', cause });
  }
}

async function withPassphrase(path: string, text: string, asking: Asking): Promise<sshpk.PrivateKey> {
  if (!isAttended(asking)) {
    throw new CliError(`${path} needs a passphrase, and there is no terminal to ask on`, {
      hint: `add it to the ssh-agent: ssh-add ${path}`,
    });
  }
  const passphrase = await askSecret(`Passphrase of ${path}: `, asking);
  try {
    return decode(text, passphrase);
  } catch (cause) {
    throw new CliError(`${path}: the passphrase is wrong`, { cause });
  }
}

function decode(text: string, passphrase?: string): sshpk.PrivateKey {
  const options = passphrase === undefined ? {} : { passphrase };
  if (text.includes('BEGIN OPENSSH PRIVATE KEY')) return sshpk.parsePrivateKey(text, 'openssh', options);
  // of these sshpk ends the process when the passphrase is wrong
  const pem = createPrivateKey({ key: text, ...options }).export({ type: 'pkcs8', format: 'pem' });
  return sshpk.parsePrivateKey(pem, 'pem');
}

function ofFile(key: sshpk.PrivateKey): SigningKey {
  const hash = hashOf(key);
  if (!hash) throw new CliError(`keys of type ${key.type} can not sign`);
  return {
    ...described(key, hash),
    sign: async (data) => {
      // typed narrower than it is: the curve P-384 goes with SHA-384
      const signer = key.createSign(hash as 'sha256');
      signer.update(data);
      return signer.sign().toBuffer('asn1');
    },
  };
}

/** A key that the ssh-agent holds, and what signs with it. */
interface Held {
  key: sshpk.Key;
  signer: SigningKey;
}

async function keysOf(agent: Agent): Promise<Held[]> {
  const keys = await agent.keys();
  return keys.flatMap(({ blob }) => {
    const key = parsed(blob);
    const hash = key && hashOf(key);
    return key && hash ? [{ key, signer: ofAgent(agent, blob, key, hash) }] : [];
  });
}

/** Agents hold certificates and keys on tokens as well, which can not sign for us. */
function parsed(blob: Buffer): sshpk.Key | undefined {
  try {
    return sshpk.parseKey(blob, 'rfc4253');
  } catch {
    return undefined;
  }
}

function ofAgent(agent: Agent, blob: Buffer, key: sshpk.Key, hash: Hash): SigningKey {
  return {
    ...described(key, hash),
    sign: async (data) => {
      const signature = await agent.sign(blob, data);
      if (key.type === 'rsa' && !signature.includes('rsa-sha2-256')) {
        throw new CliError('the ssh-agent is too old: it signs with SHA-1 only', {
          hint: 'name a key file with --key',
        });
      }
      return sshpk.parseSignature(signature, key.type as sshpk.AlgorithmType, 'ssh').toBuffer('asn1');
    },
  };
}

async function find(agent: Agent, isIt: (key: sshpk.Key) => boolean): Promise<SigningKey | undefined> {
  // without an agent there is still the passphrase
  const held = await keysOf(agent).catch(() => []);
  return held.find(({ key }) => isIt(key))?.signer;
}

async function heldBy(agent: Agent, named: string, isIt: (key: sshpk.Key) => boolean): Promise<SigningKey> {
  const held = (await keysOf(agent)).find(({ key }) => isIt(key));
  if (held) return held.signer;
  throw new CliError(`the ssh-agent does not hold the key ${named}`, { hint: 'add it with ssh-add' });
}

function isSameAs(wanted: sshpk.Key): (key: sshpk.Key) => boolean {
  const fingerprint = wanted.fingerprint('sha256');
  return (key) => fingerprint.matches(key);
}

const hashOf = (key: sshpk.Key | sshpk.PrivateKey) =>
  key.type === 'ecdsa' ? hashesOfCurves[key.curve ?? ''] : hashes[key.type];

const described = (key: sshpk.Key | sshpk.PrivateKey, hash: Hash) => ({
  fingerprint: key.fingerprint('sha256').toString(),
  algorithm: `${key.type}-${hash}`,
});

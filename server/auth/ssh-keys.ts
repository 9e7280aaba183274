import { createPublicKey, type KeyObject } from 'node:crypto';
import sshpk from 'sshpk';

/** A public key that can verify signatures. */
export interface SshKey {
  object: KeyObject;
  /** All ways in which clients write its fingerprint. */
  fingerprints: readonly string[];
}

export interface KeyProblem {
  line: number;
  /** Says nothing of what the line holds: private keys are put into wrong files too. */
  reason: string;
}

const MAX_LINE = 16 * 1024;

const types = [
  'ssh-rsa',
  'ssh-dss',
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
] as const;

const isType = (word: string | undefined) => types.some((type) => type === word);

/** Options by which sshd restricts who may use a key; the others restrict what there is not over HTTP. */
const RESTRICTIONS = ['cert-authority', 'expiry-time', 'from', 'principals', 'verify-required'];

/** The reference and its users' keys are old; OpenSSL takes no larger ones. */
const RSA_BITS = { least: 1024, most: 16_384 };

/** The keys in the text of an `authorized_keys` file, and the lines that hold none. */
export function readAuthorizedKeys(text: string): { keys: SshKey[]; problems: KeyProblem[] } {
  const keys: SshKey[] = [];
  const problems: KeyProblem[] = [];
  for (const [at, line] of text.split(/\r\n|[\r\n]/).entries()) {
    const content = line.replace(/^\uFEFF/, '').trim();
    if (content === '' || content.startsWith('#')) continue;
    try {
      keys.push(parseSshKey(content));
    } catch (error) {
      problems.push({ line: at + 1, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { keys, problems };
}

function parseSshKey(line: string): SshKey {
  if (line.length > MAX_LINE) throw new Error(`the line is longer than ${MAX_LINE} characters`);
  const { type, blob } = withoutOptions(line);
  const { key, object } = decode(blob);
  if (key.toString('ssh').split(' ')[0] !== type) throw new Error(`the key is not the ${type} that the line says`);
  checkStrength(object);
  const md5 = key.fingerprint('md5').toString('hex');
  return { object, fingerprints: [md5, `MD5:${md5}`, key.fingerprint('sha256').toString('base64')] };
}

/** A word, in which quotes may hold blanks, and what follows it. */
const WORD = /^((?:[^\s"]|"(?:[^"\\]|\\.)*")+)[ \t]*(.*)$/;

function withoutOptions(line: string): { type: string; blob: string } {
  const [, first = '', rest = ''] = WORD.exec(line) ?? [];
  const fields = isType(first) ? line : rest;
  const [type, blob] = fields.split(/[ \t]+/);
  if (type === undefined || blob === undefined || !isType(type)) {
    throw new Error(`this is no public key of a type that can sign here: ${types.join(', ')}`);
  }
  if (fields === rest) checkOptions(first);
  return { type, blob };
}

function checkOptions(options: string): void {
  const names = options.replace(/"(?:[^"\\]|\\.)*"/g, '').split(',');
  const restriction = names
    .map((name) => name.split('=')[0]?.toLowerCase() ?? '')
    .find((name) => RESTRICTIONS.includes(name));
  if (restriction) throw new Error(`the option ${restriction} can not be kept here: remove it, or the key`);
}

function decode(blob: string): { key: sshpk.Key; object: KeyObject } {
  try {
    const bytes = Buffer.from(blob, 'base64');
    const key = sshpk.parseKey(bytes, 'rfc4253');
    // It fills up what is too short.
    if (!key.toBuffer('rfc4253').equals(bytes)) throw new Error('not what a key of this kind looks like');
    return { key, object: createPublicKey(key.toString('pkcs8')) };
  } catch (cause) {
    throw new Error('the key is cut short or damaged', { cause });
  }
}

function checkStrength({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): void {
  const { modulusLength, publicExponent } = asymmetricKeyDetails ?? {};
  if (modulusLength === undefined) return;
  if (modulusLength < RSA_BITS.least) throw new Error(`${modulusLength} bits are too few: make a key of 2048 or more`);
  if (modulusLength > RSA_BITS.most)
    throw new Error(`${modulusLength} bits are more than the ${RSA_BITS.most} allowed`);
  if (asymmetricKeyType === 'rsa' && (publicExponent === undefined || publicExponent < 3n)) {
    throw new Error('with this exponent everybody can sign');
  }
}

import test from 'ava';
import { readAuthorizedKeys } from '../../server/auth/ssh-keys.js';
import { type KeyKind, sshKey } from '../support/ssh-keys.js';
import { table } from '../support/table.js';

const { line, sha256, md5 } = sshKey('rsa');
const [, blob = ''] = line.split(' ');

const usable: KeyKind[] = ['rsa', 'rsa-1024', 'dsa', 'ecdsa-256', 'ecdsa-384', 'ecdsa-521', 'ed25519'];

test('keys of every type', (t) => {
  for (const kind of usable) {
    const key = sshKey(kind);
    const { keys, problems } = readAuthorizedKeys(key.line);
    t.deepEqual(problems, [], kind);
    t.is(keys[0]?.object.type, 'public', kind);
    t.deepEqual(keys[0]?.fingerprints, [key.md5, `MD5:${key.md5}`, key.sha256], kind);
  }
  t.regex(md5, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  t.regex(sha256, /^SHA256:[A-Za-z0-9+/]{43}$/);
});

/** `KEY` is a good key; `BLOB` its second word, `CUT` and `LONGER` what was made of that. */
const lines = table<'what' | 'text' | 'reason'>(String.raw`
  what                     text                                                reason
  alone                    KEY                                                 -
  with a comment           KEY someone@somewhere and more                      -
  with tabs                ssh-rsa\tBLOB\tcomment                              -
  between blanks           \t KEY \t                                           -
  after a byte order mark  \uFEFFKEY                                           -
  with options             no-pty,command="echo \"a b\", ssh-rsa" KEY me       -
  restricted               restrict KEY                                        -
  from somewhere           from="10.0.0.0/8" KEY                               the option from can not be kept here
  until some day           no-pty,expiry-time="20300101" KEY                   the option expiry-time can not be kept here
  of an authority          cert-authority KEY                                  the option cert-authority can not be kept here
  in capitals              Cert-Authority KEY                                  the option cert-authority can not be kept here
  that only quotes from    command="from=here,cert-authority" KEY              -
  without its type         BLOB                                                no public key of a type that can sign here
  without its blob         ssh-rsa                                             no public key of a type that can sign here
  of another type          ssh-ed25519 BLOB                                    not the ssh-ed25519 that the line says
  on a security key        sk-ssh-ed25519@openssh.com BLOB                     no public key of a type that can sign here
  a certificate            ssh-rsa-cert-v01@openssh.com BLOB                   no public key of a type that can sign here
  of an unknown curve      ecdsa-sha2-nistp192 BLOB                            no public key of a type that can sign here
  in capitals too          SSH-RSA BLOB                                        no public key of a type that can sign here
  not base64               ssh-rsa !!!!                                        cut short or damaged
  empty inside             ssh-rsa AAAA                                        cut short or damaged
  cut short                ssh-rsa CUT                                         cut short or damaged
  with something behind    ssh-rsa LONGER                                      cut short or damaged
  with an open quote       command="echo KEY                                   no public key of a type that can sign here
  a private key            -----BEGIN OPENSSH PRIVATE KEY-----                 no public key of a type that can sign here
  prose                    the quick brown fox                                 no public key of a type that can sign here
`);

const meant: Record<string, string> = {
  '\\t': '\t',
  '\\uFEFF': '\uFEFF',
  KEY: line,
  BLOB: blob,
  CUT: blob.slice(0, 200),
  LONGER: Buffer.concat([Buffer.from(blob, 'base64'), Buffer.alloc(9, 1)]).toString('base64'),
};

/** All at once: a key may have such letters in it. */
const written = (text: string) => text.replace(/\\t|\\uFEFF|KEY(?!-)|BLOB|CUT|LONGER/g, (word) => meant[word]!);

test('how a line is written', (t) => {
  for (const { what, text, reason } of lines) {
    const { keys, problems } = readAuthorizedKeys(written(text));
    t.is(keys.length, reason === '' ? 1 : 0, what);
    t.is(problems.length, reason === '' ? 0 : 1, what);
    t.true(problems[0]?.reason.includes(reason) ?? reason === '', `${what}: ${problems[0]?.reason}`);
  }
});

test('keys that are too weak are named by what they lack', (t) => {
  const { keys, problems } = readAuthorizedKeys(sshKey('rsa-768').line);
  t.is(keys.length, 0);
  t.deepEqual(problems, [{ line: 1, reason: '768 bits are too few: make a key of 2048 or more' }]);
});

test('an exponent of one, with which every signature is good', (t) => {
  const parts = readSsh(blob);
  const weak = Buffer.concat([part(parts[0]!), part(Buffer.from([1])), part(parts[2]!)]).toString('base64');
  const { keys, problems } = readAuthorizedKeys(`ssh-rsa ${weak}`);
  t.is(keys.length, 0);
  t.is(problems[0]?.reason, 'with this exponent everybody can sign');
});

test('a point that is not on its curve', (t) => {
  const [, ecdsa = ''] = sshKey('ecdsa-256').line.split(' ');
  const bytes = Buffer.from(ecdsa, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  const { keys, problems } = readAuthorizedKeys(`ecdsa-sha2-nistp256 ${bytes.toString('base64')}`);
  t.is(keys.length, 0);
  t.is(problems[0]?.reason, 'the key is cut short or damaged');
});

test('an Ed25519 key that lacks bytes', (t) => {
  const [name, bytes] = readSsh(sshKey('ed25519').line.split(' ')[1] ?? '');
  for (const length of [0, 1, 31]) {
    const short = Buffer.concat([part(name!), part(bytes!.subarray(0, length))]).toString('base64');
    const { keys, problems } = readAuthorizedKeys(`ssh-ed25519 ${short}`);
    t.is(keys.length, 0, String(length));
    t.is(problems[0]?.reason, 'the key is cut short or damaged');
  }
});

test('good keys work beside bad lines, which are counted as an editor counts them', (t) => {
  const ed25519 = sshKey('ed25519').line;
  const text = ['# the team', '', line, 'garbage', '   # indented', `ssh-rsa ${blob.slice(0, 80)}`, ed25519].join(
    '\r\n',
  );
  const { keys, problems } = readAuthorizedKeys(text);
  t.deepEqual(
    keys.map(({ object }) => object.asymmetricKeyType),
    ['rsa', 'ed25519'],
  );
  t.deepEqual(
    problems.map((problem) => problem.line),
    [4, 6],
  );
});

test('a reason says nothing of what the line holds', (t) => {
  const secret = 'c2VjcmV0IG1hdGVyaWFs';
  for (const text of [`ssh-rsa ${secret}`, secret, `from="${secret}" ${line}`, `${secret} ${line}`]) {
    t.false(JSON.stringify(readAuthorizedKeys(text).problems).includes(secret), text);
  }
});

test('nothing, and far too much', (t) => {
  for (const text of ['', '\n', '\r\n\r\n', '#', '\uFEFF'])
    t.deepEqual(readAuthorizedKeys(text), { keys: [], problems: [] });
  const { keys, problems } = readAuthorizedKeys(`${line} ${'x'.repeat(20_000)}`);
  t.is(keys.length, 0);
  t.deepEqual(problems, [{ line: 1, reason: 'the line is longer than 16384 characters' }]);
});

function readSsh(base64: string): Buffer[] {
  const bytes = Buffer.from(base64, 'base64');
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    parts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}

function part(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

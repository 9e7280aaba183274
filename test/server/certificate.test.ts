import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Settings, settings as table } from '../../server/config/settings.js';
import { openCertificate } from '../../server/tls/certificate.js';
import { makeCertificate, type Pem } from '../../server/tls/make-certificate.js';
import { readCertificate } from '../../server/tls/read-certificate.js';
import { keepSelfSigned, selfSignedFiles } from '../../server/tls/self-signed.js';
import { newCertificate, pemFiles } from '../support/certificates.js';
import { keptLog } from '../support/log.js';
import { scratch } from '../support/scratch.js';

const DAY = 24 * 60 * 60 * 1000;

const defaults = Object.fromEntries(
  Object.entries(table).map(([key, setting]) => [key, setting.default]),
) as unknown as Settings;

const pem = await newCertificate();
const other = await newCertificate();

// --- Made

test('a certificate that is made names its server, fits its key, and signs itself and no other', async (t) => {
  const names = ['images.example', '127.0.0.1', '::1', '2001:db8::1:2', '::ffff:192.0.2.1', '2001:db8:1:2:3:4:5:6'];
  const from = new Date('2026-01-02T03:04:05Z');
  const until = new Date('2028-03-04T05:06:07Z');
  const made = await makeCertificate({ names, from, until });
  const leaf = new X509Certificate(made.certificate);
  t.is(leaf.checkHost('images.example'), 'images.example');
  t.is(leaf.checkHost('other.example'), undefined);
  for (const name of names.slice(1)) t.is(leaf.checkIP(name), name);
  t.is(leaf.checkIP('192.0.2.1'), undefined);
  t.is(leaf.subject, 'CN=images.example');
  t.is(Date.parse(leaf.validFrom), from.getTime());
  t.is(Date.parse(leaf.validTo), until.getTime());
  t.false(leaf.ca);
  t.true(leaf.checkIssued(leaf));
  t.true(leaf.verify(leaf.publicKey));
  t.true(leaf.checkPrivateKey(createPrivateKey(made.key)));
  t.like(leaf.publicKey.asymmetricKeyDetails, { modulusLength: 2048 });
});

test('dates behind 2049, names that are long, and serial numbers of their own', async (t) => {
  const names = [`${'long.'.repeat(45)}example`, ...Array.from({ length: 200 }, (_, at) => `host-${at}.example`)];
  const dates = { from: new Date('2049-12-31T23:59:59Z'), until: new Date('2050-01-01T00:00:00Z') };
  const [one, other] = await Promise.all([makeCertificate({ names, ...dates }), makeCertificate({ names, ...dates })]);
  const [first, second] = [new X509Certificate(one.certificate), new X509Certificate(other.certificate)];
  t.is(Date.parse(first.validFrom), dates.from.getTime());
  t.is(Date.parse(first.validTo), dates.until.getTime());
  t.is(first.subject, `CN=${names[0]?.slice(0, 64)}`);
  for (const name of names) t.is(first.checkHost(name, { subject: 'never' }), name);
  t.not(first.serialNumber, second.serialNumber);
});

// --- Read

const encrypted = createPrivateKey(pem.key).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
});
const half = (text: string) => text.slice(0, text.length / 2);
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });

const wrong: Record<string, { pem: Partial<Pem>; says: RegExp }> = {
  'no certificate': { pem: { key: pem.key }, says: /^can not read \S+chain\.pem: there is no such file$/ },
  'no key': { pem: { certificate: pem.certificate }, says: /^can not read \S+key\.pem: there is no such file$/ },
  'an empty certificate': { pem: { ...pem, certificate: '' }, says: /chain\.pem holds no certificate/ },
  'half a certificate': { pem: { ...pem, certificate: half(pem.certificate) }, says: /chain\.pem breaks off/ },
  'half a chain': {
    pem: { ...pem, certificate: pem.certificate + half(other.certificate) },
    says: /chain\.pem breaks off/,
  },
  'a damaged certificate': {
    pem: { ...pem, certificate: pem.certificate.replace(/\n(.{64})\n/, '\nAAAA\n') },
    says: /chain\.pem holds a certificate that can not be read/,
  },
  'a damaged certificate in the chain': {
    pem: { ...pem, certificate: pem.certificate + other.certificate.replace(/\n(.{64})\n/, '\nAAAA\n') },
    says: /chain\.pem holds a certificate that can not be read/,
  },
  'a key where the certificate should be': {
    pem: { ...pem, certificate: pem.key },
    says: /chain\.pem holds no certificate/,
  },
  'an empty key': { pem: { ...pem, key: '' }, says: /key\.pem holds no key as PEM without a passphrase/ },
  'half a key': { pem: { ...pem, key: half(pem.key) }, says: /key\.pem holds no key as PEM/ },
  'a key with a passphrase': {
    pem: { ...pem, key: encrypted.toString() },
    says: /key\.pem holds no key as PEM without a passphrase/,
  },
  'the key of another': {
    pem: { ...pem, key: other.key },
    says: /key in \S+key\.pem does not fit .* in \S+chain\.pem/,
  },
  'a key of another kind': { pem: { ...pem, key: elliptic.toString() }, says: /key\.pem does not fit/ },
  'a chain in the wrong order': {
    pem: { ...pem, certificate: other.certificate + pem.certificate },
    says: /key\.pem does not fit .*the server's own has to come first/,
  },
};

for (const [what, { pem, says }] of Object.entries(wrong)) {
  test(`refused: ${what}`, async (t) => {
    const { certificate, key } = await pemFiles(t, pem);
    const error = await t.throwsAsync(readCertificate({ certificate, key }, {}), { name: 'OperatorMistake' });
    t.regex(error?.message ?? '', says);
    t.notRegex(error?.message ?? '', /\n/);
  });
}

test('a chain, with text around, and the key in the same file', async (t) => {
  const all = `of the server:\n${pem.certificate}and who signed it:\n${other.certificate}${pem.key}`;
  const { certificate } = await pemFiles(t, { certificate: all });
  const { leaf } = await readCertificate({ certificate, key: certificate }, {});
  t.is(leaf.fingerprint256, new X509Certificate(pem.certificate).fingerprint256);
});

// --- Signed by itself

interface Own {
  settings: Settings;
  files: { certificate: string; key: string };
  leaf(): Promise<X509Certificate>;
  lines: { msg: string }[];
  keep(now?: Date): Promise<void>;
}

async function own(t: ExecutionContext, given: Partial<Settings> = {}): Promise<Own> {
  const settings = { ...defaults, data: await scratch(t), tlsSelfSigned: true, ...given };
  const files = selfSignedFiles(settings.data);
  const { log, lines } = keptLog();
  return {
    settings,
    files,
    lines,
    leaf: async () => (await readCertificate(files, {})).leaf,
    keep: (now = new Date()) => keepSelfSigned(settings, now, log),
  };
}

const left = (leaf: X509Certificate) => Date.parse(leaf.validTo) - Date.now();

test('made where there is none, readable by nobody else, for every name', async (t) => {
  const { keep, leaf, files, settings } = await own(t, {
    publicUrl: 'https://images.example:8443/base',
    hostNames: ['bücher.example', '192.0.2.7', '*'],
    address: '127.0.0.2',
  });
  await keep();
  const made = await leaf();
  for (const name of [hostname(), 'localhost', 'images.example', 'xn--bcher-kva.example']) {
    t.is(made.checkHost(name, { subject: 'never' }), name);
  }
  for (const address of ['127.0.0.1', '::1', '192.0.2.7', '127.0.0.2']) t.is(made.checkIP(address), address);
  t.true(left(made) <= 825 * DAY && left(made) > 820 * DAY);
  t.is((await stat(files.key)).mode & 0o777, 0o600);
  t.is((await stat(dirname(files.key))).mode & 0o777, 0o700);
  t.deepEqual((await readdir(join(settings.data, 'tls'))).sort(), ['certificate.pem', 'key.pem']);
});

test('kept until a month before its end, then made again', async (t) => {
  const { keep, leaf, lines } = await own(t);
  await keep();
  const first = await leaf();
  await keep(new Date(Date.now() + 793 * DAY));
  t.is((await leaf()).fingerprint256, first.fingerprint256);
  t.is(lines.length, 1);
  await keep(new Date(Date.now() + 795 * DAY));
  t.not((await leaf()).fingerprint256, first.fingerprint256);
  t.true(left(await leaf()) > 1600 * DAY);
});

test('one that can not be used any more is told of, one that is not there yet is not', async (t) => {
  const { keep, files, lines } = await own(t);
  const told = () => lines.filter(({ msg }) => msg.includes('can not be used: another is made')).length;
  await keep();
  t.is(told(), 0);
  await writeFile(files.certificate, half(await readFile(files.certificate, 'utf8')));
  await keep();
  t.is(told(), 1);
});

test('made again where it is lost, damaged, or of a clock that went ahead', async (t) => {
  const { keep, leaf, files } = await own(t);
  await keep(new Date(Date.now() + 10 * DAY));
  const damages = [
    async () => {},
    () => rm(files.key),
    () => rm(files.certificate),
    () => writeFile(files.key, other.key),
    async () => writeFile(files.certificate, half(await readFile(files.certificate, 'utf8'))),
    async () => {
      await rm(dirname(files.key), { recursive: true });
      await mkdir(dirname(files.key));
      await writeFile(`${files.key}.new`, 'of a start that was killed', { mode: 0o644 });
    },
  ];
  let before = (await leaf()).fingerprint256;
  for (const damage of damages) {
    await damage();
    await keep();
    const { fingerprint256 } = await leaf();
    t.not(fingerprint256, before);
    t.is((await stat(files.key)).mode & 0o777, 0o600);
    before = fingerprint256;
  }
  t.deepEqual((await readdir(dirname(files.key))).sort(), ['certificate.pem', 'key.pem']);
});

test('kept although the settings have new names, which are told', async (t) => {
  const { keep, leaf, settings, lines } = await own(t);
  await keep();
  const first = await leaf();
  settings.publicUrl = 'https://[2001:db8::5]/';
  settings.hostNames = ['new.example', 'localhost'];
  await keep();
  t.is((await leaf()).fingerprint256, first.fingerprint256);
  t.like(lines.at(-1), { level: 40, missing: ['2001:db8::5', 'new.example'] } as object);
});

// --- In use

async function inUse(t: ExecutionContext, first: Pem, now = () => new Date()) {
  const files = await pemFiles(t, first);
  const { log, lines } = keptLog();
  const settings = { ...defaults, tlsCertificate: files.certificate, tlsKey: files.key };
  const certificate = await openCertificate({ settings, log, now });
  if (!certificate) throw new Error('there is none');
  t.teardown(() => certificate.close());
  const used: unknown[] = [];
  certificate.follow(({ cert }) => used.push(cert));
  return { certificate, files, lines, used };
}

test('none where nobody asks for one', async (t) => {
  const { log } = keptLog();
  const open = (settings: Partial<Settings>) =>
    openCertificate({ settings: { ...defaults, ...settings }, log, now: () => new Date() });
  t.is(await open({}), undefined);
  const data = await scratch(t);
  t.is(await open({ tlsPort: 'off', tlsSelfSigned: true, data }), undefined);
  t.deepEqual(await readdir(data), []);
});

test('a new one is used, and told; the same once more is not', async (t) => {
  const { certificate, files, lines, used } = await inUse(t, pem);
  await certificate.reload();
  t.deepEqual(lines, []);
  await files.write(other);
  await Promise.all([certificate.reload(), certificate.reload(), certificate.reload()]);
  t.deepEqual(used, [other.certificate]);
  t.is(certificate.context.key, other.key);
  const { fingerprint256, validTo } = new X509Certificate(other.certificate);
  t.is(lines.length, 1);
  t.like(lines[0], {
    level: 30,
    msg: 'certificate reloaded',
    subject: 'CN=localhost',
    names: 'DNS:localhost, IP Address:127.0.0.1',
    expires: new Date(validTo).toISOString(),
    fingerprint: fingerprint256,
  });
});

test('what can not be used leaves the one before, and is tried again', async (t) => {
  const { certificate, files, lines, used } = await inUse(t, pem);
  const attempts: [Partial<Pem>, RegExp][] = [
    [{ certificate: half(other.certificate) }, /chain\.pem breaks off/],
    [{ certificate: other.certificate }, /key\.pem does not fit/],
    [{ key: half(other.key) }, /key\.pem holds no key/],
    [await newCertificate({ from: -30, until: -1 }), /chain\.pem has expired on /],
    [await newCertificate({ from: 1, until: 30 }), /chain\.pem is not valid before /],
  ];
  for (const [pair, reason] of attempts) {
    await files.write(pair);
    await certificate.reload();
    t.is(lines.at(-1)?.level, 40);
    t.is(lines.at(-1)?.msg, 'the new certificate can not be used: the one before stays');
    t.regex(String(lines.at(-1)?.reason), reason);
  }
  await rm(files.certificate);
  await certificate.reload();
  t.regex(String(lines.at(-1)?.reason), /can not read \S+chain\.pem/);
  t.deepEqual(used, []);
  t.is(certificate.context.cert, pem.certificate);

  await files.write(other);
  await certificate.reload();
  t.deepEqual(used, [other.certificate]);
});

test('one that ends soon, has ended or has not begun is used, and warned of', async (t) => {
  const warnings: [{ from: number; until: number }, RegExp | undefined][] = [
    [{ from: -1, until: 14.5 }, undefined],
    [{ from: -1, until: 13.5 }, /^the certificate in use has 13 days left$/],
    [{ from: -1, until: 1.5 }, /has 1 day left$/],
    [{ from: -30, until: -1 }, /^the certificate in use has expired on /],
    [{ from: 1, until: 30 }, /^the certificate in use is not valid before /],
  ];
  for (const [validity, warning] of warnings) {
    const pair = await newCertificate(validity);
    const { certificate, lines } = await inUse(t, pair);
    t.is(certificate.context.cert, pair.certificate);
    t.is(lines.length, warning ? 1 : 0);
    if (warning) t.regex(lines[0]?.msg ?? '', warning);
    for (const { level } of lines) t.is(level, 40);
  }
});

test('the one signed by itself is renewed while it is used', async (t) => {
  const { log, lines } = keptLog();
  const settings = { ...defaults, data: await scratch(t), tlsSelfSigned: true };
  let today = Date.now();
  const certificate = await openCertificate({ settings, log, now: () => new Date(today) });
  t.teardown(() => certificate?.close());
  const first = certificate?.leaf.fingerprint256;
  await certificate?.reload();
  t.is(certificate?.leaf.fingerprint256, first);
  today += 800 * DAY;
  await certificate?.reload();
  t.not(certificate?.leaf.fingerprint256, first);
  t.deepEqual(
    lines.map(({ msg }) => msg),
    ['made a certificate, signed by itself', 'made a certificate, signed by itself', 'certificate reloaded'],
  );
});

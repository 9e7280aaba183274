import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { domainToASCII } from 'node:url';
import type { Logger } from 'pino';
import { makeDirectory, replaceFile } from '../../storage/durable.js';
import type { Settings } from '../config/settings.js';
import { ANY_HOST } from '../model/hosts.js';
import { makeCertificate } from './make-certificate.js';
import { type CertificateFiles, type ReadCertificate, readCertificate } from './read-certificate.js';

const DAY = 24 * 60 * 60 * 1000;

/** What browsers take at most. */
const VALID = 825 * DAY;
const RENEW_BEFORE = 30 * DAY;

export const selfSignedFiles = (data: string): CertificateFiles => ({
  certificate: join(data, 'tls', 'certificate.pem'),
  key: join(data, 'tls', 'key.pem'),
});

/** A certificate that is good for another month is kept, as clients may hold a copy of it; else one is made. */
export async function keepSelfSigned(settings: Settings, now: Date, log: Logger): Promise<void> {
  const files = selfSignedFiles(settings.data);
  const present = await readCertificate(files, {}).catch((error: unknown) => {
    // Clients that trust a copy of the one that is lost should not learn of it first.
    if (!isAbsent(error))
      log.warn({ err: error }, 'the certificate that was made here can not be used: another is made');
    return undefined;
  });
  if (present && lasts(present, now)) {
    const missing = namesOf(configured(settings)).filter((name) => !covers(present, name));
    if (missing.length > 0) log.warn({ missing }, `${files.certificate} lacks names: remove it to have another made`);
    return;
  }
  await makeDirectory(dirname(files.certificate));
  const names = namesOf([hostname(), 'localhost', '127.0.0.1', '::1', ...configured(settings), ...found(settings)]);
  const from = new Date(now.getTime() - DAY);
  const made = await makeCertificate({ names, from, until: new Date(from.getTime() + VALID) });
  // Killed in between, the pair does not fit, and the next start makes another.
  await replaceFile(files.key, made.key);
  await replaceFile(files.certificate, made.certificate);
  log.info({ names, file: files.certificate }, 'made a certificate, signed by itself');
}

const isAbsent = (error: unknown) => error instanceof Error && Object(error.cause).code === 'ENOENT';

const lasts = ({ leaf }: ReadCertificate, now: Date) =>
  Date.parse(leaf.validFrom) <= now.getTime() && Date.parse(leaf.validTo) > now.getTime() + RENEW_BEFORE;

const covers = ({ leaf }: ReadCertificate, name: string) =>
  isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name);

const isEverywhere = (address: string) => ['0.0.0.0', '::'].includes(address);

/** What clients call us by the settings. */
const configured = ({ address, publicUrl, hostNames }: Settings) => [
  ...(publicUrl ? [new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')] : []),
  ...hostNames.filter((name) => name !== ANY_HOST),
  ...(isEverywhere(address) ? [] : [address]),
];

/** Where we listen without having been told so. */
const found = ({ address }: Settings) => (isEverywhere(address) ? ownAddresses() : []);

/** As a certificate spells them, each once. */
function namesOf(given: readonly string[]): string[] {
  const names = given.map((name) => (isIP(name) === 0 ? domainToASCII(name) : name));
  return [...new Set(names)].filter((name) => name !== '' && !name.includes('%'));
}

const ownAddresses = () =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address),
  );

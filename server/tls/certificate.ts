import type { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import { watchFiles } from '../watch-files.js';
import { cipherSuites } from './cipher-suites.js';
import { type ReadCertificate, readCertificate } from './read-certificate.js';
import { keepSelfSigned, selfSignedFiles } from './self-signed.js';

const DAY = 24 * 60 * 60 * 1000;
const SOON = 14 * DAY;

export interface CertificateOptions {
  settings: Settings;
  log: Logger;
  now: () => Date;
}

/** The certificate that the settings ask for, or none where nothing listens for TLS. */
export async function openCertificate(options: CertificateOptions): Promise<Certificate | undefined> {
  const source = sourceOf(options);
  return source && new Certificate(source, await source.read(), options);
}

interface Source {
  paths: string[];
  read(): Promise<ReadCertificate>;
}

function sourceOf({ settings, log, now }: CertificateOptions): Source | undefined {
  const { tlsPort, tlsCertificate, tlsKey, tlsSelfSigned, tlsMinVersion, data } = settings;
  if (tlsPort === 'off') return undefined;
  const context: SecureContextOptions = { ...cipherSuites, minVersion: tlsMinVersion };
  const from = (certificate: string, key: string, prepare: () => Promise<void>): Source => ({
    paths: [certificate, key],
    read: async () => {
      await prepare();
      return readCertificate({ certificate, key }, context);
    },
  });
  if (tlsCertificate !== undefined && tlsKey !== undefined) return from(tlsCertificate, tlsKey, async () => {});
  const { certificate, key } = selfSignedFiles(data);
  return tlsSelfSigned ? from(certificate, key, () => keepSelfSigned(settings, now(), log)) : undefined;
}

/** In use, and followed: whatever new one can not be used, the one before stays. */
export class Certificate {
  readonly paths: readonly string[];
  readonly #source: Source;
  readonly #log: Logger;
  readonly #now: () => Date;
  readonly #followers: ((context: SecureContextOptions) => void)[] = [];
  readonly #stopWatching: () => void;
  readonly #daily: NodeJS.Timeout;
  #current: ReadCertificate;
  #running: Promise<void> = Promise.resolve();

  constructor(source: Source, first: ReadCertificate, { log, now }: CertificateOptions) {
    this.paths = source.paths;
    this.#source = source;
    this.#current = first;
    this.#log = log;
    this.#now = now;
    this.#warnOfDates();
    this.#stopWatching = watchFiles(source.paths, () => void this.reload());
    this.#daily = setInterval(() => void this.reload().then(() => this.#warnOfDates()), DAY).unref();
  }

  get context(): SecureContextOptions {
    return this.#current.context;
  }

  get leaf(): X509Certificate {
    return this.#current.leaf;
  }

  /** Is told of every certificate that takes the place of this one. */
  follow(use: (context: SecureContextOptions) => void): void {
    this.#followers.push(use);
  }

  /** Never fails: what is wrong is told in the log. */
  reload(): Promise<void> {
    this.#running = this.#running.then(() =>
      this.#reload().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn({ reason }, 'the new certificate can not be used: the one before stays');
      }),
    );
    return this.#running;
  }

  async close(): Promise<void> {
    this.#stopWatching();
    clearInterval(this.#daily);
    await this.#running;
  }

  async #reload(): Promise<void> {
    const found = await this.#source.read();
    if (found.context.cert === this.context.cert && found.context.key === this.context.key) return;
    const wrong = datesWrong(found.leaf, this.#now());
    if (wrong) throw new OperatorMistake(`${this.paths[0]} ${wrong}`);
    this.#current = found;
    for (const use of this.#followers) use(found.context);
    this.#log.info(described(found.leaf), 'certificate reloaded');
    this.#warnOfDates();
  }

  #warnOfDates(): void {
    const wrong = datesWrong(this.leaf, this.#now());
    const left = Date.parse(this.leaf.validTo) - this.#now().getTime();
    if (wrong) this.#log.warn(described(this.leaf), `the certificate in use ${wrong}`);
    else if (left < SOON) this.#log.warn(described(this.leaf), `the certificate in use has ${days(left)} left`);
  }
}

function datesWrong({ validFrom, validTo }: X509Certificate, now: Date): string | undefined {
  if (now.getTime() > Date.parse(validTo)) return `has expired on ${validTo}`;
  if (now.getTime() < Date.parse(validFrom)) return `is not valid before ${validFrom}`;
  return undefined;
}

function days(milliseconds: number): string {
  const whole = Math.floor(milliseconds / DAY);
  return whole === 1 ? '1 day' : `${whole} days`;
}

const described = ({ subject, subjectAltName, validTo, fingerprint256 }: X509Certificate) => ({
  subject: subject?.replaceAll('\n', ', '),
  names: subjectAltName,
  expires: new Date(validTo).toISOString(),
  fingerprint: fingerprint256,
});

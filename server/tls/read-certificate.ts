import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { reasonOf } from '../config/reason-of.js';
import { OperatorMistake } from '../model/operator-mistake.js';

export interface CertificateFiles {
  certificate: string;
  key: string;
}

export interface ReadCertificate {
  context: SecureContextOptions;
  /** The server's own; others behind it lead to one that clients know. */
  leaf: X509Certificate;
}

/** Reads both files and tries them; throws what is wrong, and in which file. */
export async function readCertificate(
  files: CertificateFiles,
  settings: SecureContextOptions,
): Promise<ReadCertificate> {
  return tryCertificate(files, await read(files.certificate), await read(files.key), settings);
}

/** What both files hold, if the one fits the other. What their dates say is left to the caller. */
export function tryCertificate(
  files: CertificateFiles,
  cert: string,
  key: string,
  settings: SecureContextOptions = {},
): ReadCertificate {
  const leaf = firstOf(files.certificate, cert);
  const isItsKey = leaf.checkPrivateKey(keyOf(files.key, key));
  if (!isItsKey) {
    throw new OperatorMistake(
      `the key in ${files.key} does not fit the certificate in ${files.certificate}: the server's own has to come first`,
    );
  }
  const context = { ...settings, cert, key };
  try {
    createSecureContext(context);
  } catch (cause) {
    throw new OperatorMistake(`can not use ${files.certificate} with ${files.key}: ${reasonOf(cause)}`, { cause });
  }
  return { context, leaf };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperatorMistake(`can not read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** All are looked at: a chain that was written in part would be refused by clients only. */
function firstOf(path: string, text: string): X509Certificate {
  const begun = text.match(/-----BEGIN CERTIFICATE-----/g) ?? [];
  const whole = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (begun.length === 0) throw new OperatorMistake(`${path} holds no certificate as PEM`);
  if (whole.length < begun.length) throw new OperatorMistake(`${path} breaks off in the middle of a certificate`);
  try {
    const [first] = whole.map((block) => new X509Certificate(block));
    return first!;
  } catch (cause) {
    throw new OperatorMistake(`${path} holds a certificate that can not be read: ${reasonOf(cause)}`, { cause });
  }
}

function keyOf(path: string, text: string) {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new OperatorMistake(`${path} holds no key as PEM without a passphrase: ${reasonOf(cause)}`, { cause });
  }
}

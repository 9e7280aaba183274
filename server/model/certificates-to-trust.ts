import { X509Certificate } from 'node:crypto';

/** What is wrong with certificates to trust, as the end of a sentence. TLS would take anything, and then trust nobody. */
export function problemWithCa(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return 'holds no certificate in PEM';
  try {
    for (const block of blocks) new X509Certificate(block);
    return undefined;
  } catch {
    return 'holds a certificate that can not be read';
  }
}

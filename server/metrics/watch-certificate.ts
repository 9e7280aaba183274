import type { Metrics } from './instruments.js';

/** A certificate that may be replaced while the server runs. */
export interface Expiring {
  readonly leaf: { validTo: string };
}

export function watchCertificate(metrics: Metrics, certificate: Expiring): void {
  const { certificate_expiry_timestamp_seconds: expiry } = metrics.instruments;
  metrics.atScrape(() => expiry.set(Date.parse(certificate.leaf.validTo) / 1000));
}

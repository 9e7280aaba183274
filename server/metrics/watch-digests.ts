import { digestWork } from '../../storage/digests.js';
import type { Metrics } from './instruments.js';

/** The digest workers serve every transfer of the process, and keep count themselves. */
export function watchDigests(metrics: Metrics): void {
  const { digest_seconds_total: seconds, digest_bytes_total: bytes } = metrics.instruments;
  metrics.atScrape(() => {
    seconds.reset();
    bytes.reset();
    for (const work of digestWork()) {
      const labels = { algorithms: work.algorithms.join('+') };
      seconds.inc(labels, work.seconds);
      bytes.inc(labels, work.bytes);
    }
  });
}

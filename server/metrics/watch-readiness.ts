import type { Space } from '../../storage/space.js';
import type { Metrics } from './instruments.js';

export interface Ready {
  reasons(): Promise<object>;
  readonly space: Space | undefined;
}

/** Whether the server is ready, and how full its disk is. */
export function watchReadiness(metrics: Metrics, readiness: Ready): void {
  const { ready, disk_free_bytes, disk_size_bytes } = metrics.instruments;
  metrics.atScrape(async () => {
    ready.set(Object.keys(await readiness.reasons()).length === 0 ? 1 : 0);
    disk_free_bytes.set(readiness.space?.free ?? Number.NaN);
    disk_size_bytes.set(readiness.space?.size ?? Number.NaN);
  });
}

import { StorageDown } from '../../storage/errors.js';
import type { Instruments } from './instruments.js';

type Times = Instruments['catalog_duration_seconds'] | Instruments['blob_duration_seconds'];
type Failures = Instruments['catalog_failures_total'] | Instruments['blob_failures_total'];

export const secondsSince = (start: number) => (performance.now() - start) / 1000;

/** Measures how long a store's work takes, and whether the store failed; a refusal is no failure. */
export function timed(times: Times, failures: Failures) {
  const failed = failuresOf(failures);
  return async <R>(operation: string, work: () => Promise<R>): Promise<R> => {
    const start = performance.now();
    try {
      return await work();
    } catch (error) {
      failed(operation, error);
      throw error;
    } finally {
      times.observe({ operation }, secondsSince(start));
    }
  };
}

export const failuresOf = (failures: Failures) => (operation: string, error: unknown) => {
  if (error instanceof StorageDown) failures.inc({ operation });
};

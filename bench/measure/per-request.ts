import { runLoad } from '../load/load.js';
import type { Requested, RequestsJob } from '../load/requests.js';
import { cpuSecondsOf } from './process.js';

/** Both in milliseconds, of one request. */
export interface PerRequest {
  time: number;
  cpu: number;
}

/** What requests cost: who asks, and the process that answers. */
export async function perRequest(pid: number, job: RequestsJob): Promise<PerRequest> {
  const before = await cpuSecondsOf(pid);
  const { requests, seconds } = await runLoad<RequestsJob, Requested>(
    new URL('../load/requests.js', import.meta.url),
    job,
  );
  const cpu = (await cpuSecondsOf(pid)) - before;
  return { time: (seconds / requests) * 1000, cpu: (cpu / requests) * 1000 };
}

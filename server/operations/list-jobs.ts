import type { Deps } from '../deps.js';
import { type Job, jobs } from '../model/job.js';
import { findImage, type Target } from './find-image.js';

export interface JobFilter {
  task?: string | undefined;
  execution?: string | undefined;
}

/** The jobs that have worked on an image, oldest first. */
export async function listJobs({ catalog }: Deps, target: Target, { task, execution }: JobFilter): Promise<Job[]> {
  await findImage(catalog, target);
  const found: Job[] = [];
  for await (const { record } of catalog.range(jobs, 'image', { prefix: `${target.uuid}/` })) {
    if (task !== undefined && record.task !== task) continue;
    if (execution !== undefined && record.execution !== execution) continue;
    found.push(record);
  }
  return found;
}

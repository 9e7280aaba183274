import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Job, jobOf } from '../model/job.js';
import { tasks } from '../model/task.js';
import { findImage, type Target } from './find-image.js';

export interface JobFilter {
  task?: string | undefined;
  execution?: string | undefined;
}

/** The jobs that have worked on an image, oldest first. */
export async function listJobs({ catalog }: Deps, target: Target, { task, execution }: JobFilter): Promise<Job[]> {
  await findImage(catalog, target);
  const found: Job[] = [];
  for await (const { record } of catalog.range(tasks, 'image', { prefix: `${target.uuid}/` })) {
    const job = jobOf(record);
    if (!job || (task !== undefined && job.task !== task)) continue;
    if (execution !== undefined && job.execution !== execution) continue;
    found.push(job);
  }
  return found;
}

/** By its id, which only those know who have started it or see its image. */
export async function findJob({ catalog }: Deps, uuid: string): Promise<Job> {
  const task = await catalog.get(tasks, uuid);
  const job = task && jobOf(task);
  if (job) return job;
  throw new ImgapiError('ResourceNotFound', `job ${uuid} not found`);
}

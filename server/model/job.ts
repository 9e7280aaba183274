import { type Caller, isOperator } from './caller.js';

export const executions = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type Execution = (typeof executions)[number];

/** Long work, as its clients poll it: one step of the chain after another. */
export interface Job {
  uuid: string;
  task: string;
  image: string;
  execution: Execution;
  created: string;
  params: Record<string, unknown>;
  chain_results: {
    name: string;
    result: string;
    error: string | { message: string };
    started_at: string;
    finished_at: string;
  }[];
}

export const jobs = {
  name: 'jobs',
  id: (job: Job) => job.uuid,
  index: (job: Job) => [`image:${job.image}/${job.created}`],
};

/** A job over IMGAPI. Its parameters can hold what not everybody may see, so only operators get them. */
export function presentJob(job: Job, { caller }: { caller: Caller }) {
  const { uuid, task, image, execution, created, params, chain_results } = job;
  return {
    uuid,
    name: task,
    execution,
    ...(isOperator(caller) && { params }),
    image_uuid: image,
    created_at: created,
    chain_results,
  };
}

import { single } from '../../../imgapi/query.js';
import { presentJob } from '../../model/job.js';
import { findJob, listJobs } from '../../operations/list-jobs.js';
import { targetOf } from '../address.js';
import { sendJson } from '../reply.js';
import type { Handler } from '../route.js';

export const getJob: Handler = async (ctx, deps) => {
  sendJson(ctx, presentJob(await findJob(deps, ctx.params.uuid ?? ''), ctx.state));
};

export const listImageJobs: Handler = async (ctx, deps) => {
  const target = targetOf(ctx, deps);
  const filter = { task: single(ctx.query, 'task'), execution: single(ctx.query, 'execution') };
  const found = await listJobs(deps, target, filter);
  sendJson(
    ctx,
    found.map((job) => presentJob(job, ctx.state)),
  );
};

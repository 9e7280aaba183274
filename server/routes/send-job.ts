import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import type { Started } from '../model/task.js';
import { ownUrl } from './address.js';
import { sendJson } from './reply.js';

/** Long work over IMGAPI: clients ask for the job where the header says. */
export function sendJob(ctx: Context, deps: Deps, { task }: Started): void {
  ctx.set('workflow-api', ownUrl(ctx, deps));
  sendJson(ctx, { image_uuid: task.objects[0]?.id, job_uuid: task.id });
}

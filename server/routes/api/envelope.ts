import { type Context, whenEnded } from '../../context.js';
import type { Deps } from '../../deps.js';
import { hasEnded, type Started, type Task, type TaskStatus, tasks } from '../../model/task.js';
import { jsonOf, sendText } from '../reply.js';

/** The status of an answer that tells of a task. */
export const statusOfTask: Record<TaskStatus, 200 | 201 | 400 | 410> = {
  PENDING: 201,
  STARTED: 201,
  SUCCESS: 200,
  FAILURE: 400,
  REVOKED: 410,
};

/** What waits is shown a sign of life so often, in milliseconds. */
const SIGN_OF_LIFE = 2000;

export interface Envelope {
  task_id: string | null;
  status: TaskStatus;
  result: unknown;
}

/** An answer that tells how a task stands, in its status as well. */
export class Told {
  constructor(readonly task: Pick<Task, 'id' | 'status' | 'result'>) {}
}

/** What others would have started is done already. */
export class AtOnce {
  constructor(readonly result: unknown) {}
}

export const envelopeOf = (task: Pick<Task, 'id' | 'status' | 'result'>): Envelope => ({
  task_id: task.id,
  status: task.status,
  result: hasEnded(task) ? task.result : null,
});

export function send(ctx: Context, envelope: Envelope, status: number): void {
  describe(ctx, envelope);
  sendText(ctx, jsonOf(envelope), status);
}

/** Who asked to wait is kept waiting for the end of the task, and told it behind what was sent meanwhile. */
export async function sendStarted(ctx: Context, deps: Deps, { task, told, failed }: Started): Promise<void> {
  const envelope = { ...envelopeOf(task), ...(hasEnded(task) ? {} : { result: told }) };
  if (ctx.get('es-stream') !== 'es' || hasEnded(task)) return send(ctx, envelope, statusOfTask[task.status]);
  describe(ctx, envelope);
  ctx.respond = false;
  const { res } = ctx;
  res.statusCode = 201;
  res.setHeader('Content-Type', 'application/json');
  res.setHeader('es_stream', 'True');
  res.write(' ');
  const left = new AbortController();
  whenEnded(ctx, () => left.abort());
  const timer = setInterval(() => res.write(' '), SIGN_OF_LIFE);
  try {
    await deps.tasks.settled(task.id, left.signal);
  } finally {
    clearInterval(timer);
  }
  const last = envelopeOf((await deps.catalog.get(tasks, task.id)) ?? task);
  const status = last.status === 'FAILURE' ? failed : statusOfTask[last.status];
  res.end(`${status}\n${jsonOf(last)}`);
}

/** The headers that command lines of the management API look at. */
function describe(ctx: Context, { task_id }: Envelope): void {
  ctx.set('es_task_id', task_id ?? '');
}

import { type Caller, isOperator } from './caller.js';
import type { CreationPlan } from './creation.js';
import type { ImportPlan, ImportSource } from './import.js';
import type { Task, TaskStatus } from './task.js';

export const executions = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type Execution = (typeof executions)[number];

/** Long work, as clients of the IMGAPI poll it: a view of a task, one step of the chain after another. */
export interface Job {
  uuid: string;
  task: string;
  image: string;
  execution: Execution;
  created: string;
  params: Record<string, unknown>;
  chain_results: ChainResult[];
}

interface ChainResult {
  name: string;
  result: string;
  /** Empty where nothing went wrong. */
  error: string | { message: string };
  started_at: string;
  finished_at: string;
}

/** The tasks that are jobs, by what they are called there. */
const names: Readonly<Record<string, string>> = {
  import: 'import-remote-image',
  'create from snapshot': 'create-from-vm',
};

/** What they were asked for, beside the image. */
const paramsOf: Readonly<Record<string, (task: Task) => Record<string, unknown>>> = {
  import: (task) => ({ source: sourceOf(task) }),
  'create from snapshot': ({ params }) => {
    const { vm, incremental } = params as CreationPlan;
    return { vm_uuid: vm, incremental };
  },
};

/** In which one fails. */
const lastSteps: Readonly<Record<string, string>> = { import: 'import image', 'create from snapshot': 'create image' };

const executionOf: Record<TaskStatus, Execution> = {
  PENDING: 'queued',
  STARTED: 'running',
  SUCCESS: 'succeeded',
  FAILURE: 'failed',
  REVOKED: 'canceled',
};

/** Nothing where the task is no job. */
export function jobOf(task: Task): Job | undefined {
  const name = Object.hasOwn(names, task.what) ? names[task.what] : undefined;
  const [wanted] = task.objects;
  if (name === undefined || !wanted) return undefined;
  return {
    uuid: task.id,
    task: name,
    image: wanted.id,
    execution: executionOf[task.status],
    created: task.created,
    params: { image_uuid: wanted.id, ...paramsOf[task.what]?.(task) },
    chain_results: chainOf(task),
  };
}

function sourceOf({ params }: Task): string | undefined {
  const from = (params as ImportPlan).steps.at(-1)?.from;
  return from && places[from.kind](from as never);
}

const places: { [Kind in ImportSource['kind']]: (from: Extract<ImportSource, { kind: Kind }>) => string } = {
  imgapi: ({ url, channel }) => (channel === undefined ? url : `${url}?channel=${channel}`),
  url: ({ manifest, file }) => manifest ?? file,
  repository: ({ name }) => name,
};

/** Whoever waits looks at the last one: it says what went wrong. */
function chainOf({ what, steps = [], status, result, started, created, finished = '' }: Task): ChainResult[] {
  const done = steps.map(({ name, started, finished }) => ({
    ...{ name, result: 'OK', error: '' },
    ...{ started_at: started, finished_at: finished },
  }));
  if (status !== 'FAILURE' && status !== 'REVOKED') return done;
  const message = status === 'REVOKED' ? 'it was canceled' : String(Object(result).detail ?? 'it failed');
  const begun = steps.at(-1)?.finished ?? started ?? created;
  return [
    ...done,
    { name: lastSteps[what] ?? 'image', result: '', error: { message }, started_at: begun, finished_at: finished },
  ];
}

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

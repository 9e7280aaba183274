import { ImgapiError } from '../../imgapi/errors.js';
import { type Caller, isOperator, nameOfCaller } from './caller.js';

export const taskStatuses = ['PENDING', 'STARTED', 'SUCCESS', 'FAILURE', 'REVOKED'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** What somebody or something was done to, as the audit and the tasks name it. */
export interface Named {
  /** The kind of its records: images, datacenters, users … */
  kind: string;
  id: string;
  name: string;
}

export interface Progress {
  done: number;
  /** Absent where it is not known. */
  total?: number;
  /** The total is the most that it can be: what comes is packed where nobody counts. */
  ceiling?: true;
  /** What is counted; things where nothing is said. */
  unit?: 'bytes';
  /** So many a second, of late; told by the runner, as the seconds that are left. */
  rate?: number;
  left?: number;
}

/** A part of a task that is done. */
export interface Step {
  name: string;
  started: string;
  finished: string;
}

/** Long work: answered before it is done, and known until long after. */
export interface Task {
  id: string;
  /** Which row of the table of tasks performs it. */
  what: string;
  who: { name: string; uuid?: string };
  /** Whose administrators see it, beside its user; none where absent. */
  datacenter?: string;
  /** The one data center in which the credentials were good that asked for it. */
  within?: string;
  objects: Named[];
  status: TaskStatus;
  /** The member that took it, for as long as nobody else may go on with it. */
  runner?: string;
  progress?: Progress;
  /** What it has been through, where it is told in parts. */
  steps?: Step[];
  /** What it has come to, or so far; why it failed, where it did. */
  result: unknown;
  created: string;
  started?: string;
  finished?: string;
  params: unknown;
}

export const tasks = {
  name: 'tasks',
  id: ({ id }: Task) => id,
  index: ({ status, who, datacenter, objects, created }: Task) => [
    ...objects.filter(({ kind }) => kind === 'images').map(({ id }) => `image:${id}/${created}`),
    `status:${status}/${created}`,
    `created:${created}`,
    ...(who.uuid === undefined ? [] : [`who:${who.uuid}/${created}`]),
    ...(datacenter === undefined ? [] : [`datacenter:${datacenter}/${created}`]),
  ],
};

/** What whoever wants a task says of it. */
export interface TaskWish {
  /** Where it has to be known before. */
  id?: string;
  what: string;
  datacenter?: string;
  objects: Named[];
  params: unknown;
}

export function newTask(id: string, caller: Caller, { what, datacenter, objects, params }: TaskWish, now: Date): Task {
  return {
    id,
    what,
    who: { name: nameOfCaller(caller), ...(caller.user && { uuid: caller.user.uuid }) },
    ...(datacenter !== undefined && { datacenter }),
    ...(caller.kind === 'user' && caller.rights.within !== undefined && { within: caller.rights.within }),
    objects,
    status: 'PENDING',
    result: null,
    created: now.toISOString(),
    params,
  };
}

/** An answer that comes before its work is done, with what there is to be told by then. */
export class Started {
  constructor(
    readonly task: Task,
    readonly told: unknown = null,
    /** What whoever waits for its end is answered where it fails. */
    readonly failed: 400 | 424 = 400,
  ) {}
}

export const hasEnded = ({ status }: Pick<Task, 'status'>) => status !== 'PENDING' && status !== 'STARTED';

export const begin = (task: Task, runner: string, now: Date): Task => ({
  ...task,
  status: 'STARTED',
  runner,
  started: now.toISOString(),
});

/** Back into the queue, with what it had done. */
export const again = ({ started, runner, ...task }: Task): Task => ({ ...task, status: 'PENDING' });

/** It can not be gone on with. */
export const interrupted = ({ runner, ...task }: Task, now: Date): Task => end(task, INTERRUPTED, now);

export type Outcome = { status: 'SUCCESS' | 'FAILURE'; result: unknown };

export const end = (task: Task, { status, result }: Outcome, now: Date): Task => ({
  ...task,
  status,
  result,
  finished: now.toISOString(),
});

/** What it has done so far stays done, and stays told. */
export function revoke(task: Task, now: Date): Task {
  if (hasEnded(task)) {
    throw new ImgapiError('AlreadyDone', `task ${task.id} can not be cancelled any more: it ended with ${task.status}`);
  }
  return { ...task, status: 'REVOKED', finished: now.toISOString() };
}

export const INTERRUPTED = {
  status: 'FAILURE',
  result: { code: 'Interrupted', detail: 'interrupted: the server stopped while the task ran' },
} as const satisfies Outcome;

/** Its user, the administrators of its data center, operators. */
export function seesTask(caller: Caller, task: Pick<Task, 'who' | 'datacenter' | 'within'>): boolean {
  if (isOperator(caller) || isOwn(caller, task)) return true;
  return caller.kind === 'user' && task.datacenter !== undefined && caller.rights.admin.has(task.datacenter);
}

/** Credentials for one data center know what was asked for with such only: the rest may tell of others. */
function isOwn(caller: Caller, { who, within }: Pick<Task, 'who' | 'within'>): boolean {
  if (caller.kind !== 'user' || who.uuid !== caller.user.uuid) return false;
  return caller.rights.within === undefined || caller.rights.within === within;
}

/** Only those who started it, and operators. */
export const mayCancel = (caller: Caller, task: Pick<Task, 'who' | 'within'>): boolean =>
  isOperator(caller) || isOwn(caller, task);

import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator, trusted } from '../model/caller.js';
import type { Task } from '../model/task.js';
import { callerOf } from './caller-of.js';

/** By whose rights a task works, as they are now; nobody's in particular where nobody is named. */
export const callerNow = ({ directory }: Pick<Deps, 'directory'>, { who, within }: Task): Caller =>
  who.uuid === undefined ? trusted : callerOf(directory, who.uuid, within);

/** Nodes are SuperAdmins' business, also when it is the turn of a task that has waited. */
export function checkStillManagesNodes(deps: Pick<Deps, 'directory'>, task: Task): void {
  if (isOperator(callerNow(deps, task))) return;
  throw new ImgapiError('NotPermitted', 'the right to manage nodes was taken away while the task waited');
}

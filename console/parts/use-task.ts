import { part } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import type { Task } from './task-words.js';

/** A task, as far as it is. */
export const useTask = (id: string) =>
  useAsked<Task>(`/task/${part(id)}`, {
    kinds: ['tasks'],
    // Somebody who wants all tasks looked at again names none.
    concerns: ({ uuid }) => uuid === undefined || uuid === id,
  });

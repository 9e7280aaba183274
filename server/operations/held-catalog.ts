import type { Catalog } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { tasks } from '../model/task.js';

/** Somebody else goes on with the task by now, or nobody may. */
export class NotHeld extends Error {
  override name = 'NotHeld';
}

interface Holding {
  /** By its id. */
  task: string;
  /** The member that took it. */
  runner: string;
  /** Told before anybody else is when nothing can be written for it any more. */
  lose(cause: Error): void;
}

/**
 * The catalog in the hands of a task that a member has taken: each write looks first whether it is still this member's. So
 * one that was taken for dead, and is not, changes nothing. What was cancelled may still clear up.
 */
export function heldCatalog(catalog: Catalog, { task, runner, lose }: Holding): Catalog {
  return wrappedCatalog(catalog, {
    write: async (change) => {
      try {
        return await catalog.write(async (tx) => {
          const found = await tx.get(tasks, task);
          if (found?.runner !== runner || catalog.members.self.id !== runner) {
            throw new NotHeld(`task ${task} is not ${runner}'s any more`);
          }
          return change(tx);
        });
      } catch (error) {
        if (error instanceof NotHeld || error instanceof StorageDown) lose(error);
        throw error;
      }
    },
  });
}

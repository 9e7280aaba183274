import type { Catalog, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Task } from '../model/task.js';
import { CLEAN, cleanPool, undoCleaning } from '../operations/clean-pool.js';
import { DELETE, deleteImageTask, undoDeletion } from '../operations/clear-nodes.js';
import { copyImage } from '../operations/copy-image.js';
import { performCampaign } from '../operations/perform-campaign.js';
import { performCreation, undoCreation } from '../operations/perform-creation.js';
import { performImport, undoImport } from '../operations/perform-import.js';
import { pullImage, undoPull } from '../operations/pull-image.js';
import { DOCKER, LXD, performDockerTask, performLxdTask, undoDocker, undoLxd } from '../operations/registry-tasks.js';
import { REMOVE, removeImage, undoRemoval } from '../operations/remove-copy.js';
import { performFollow } from '../operations/run-follow.js';
import { CAMPAIGN, endCampaign } from '../operations/save-campaign.js';
import { performBulk } from '../operations/start-bulk.js';
import { CREATE } from '../operations/start-creation.js';
import { PULL } from '../operations/start-pull.js';
import type { Work } from '../operations/work.js';
import type { TaskKinds } from './runner.js';

interface Row {
  /** Whether one that was interrupted goes on from what it had kept (`work.keep`). Else it has failed. */
  resumes: boolean;
  /** Where it waits for its turn, with those of the same lane only; with the quick ones where none is named. */
  lane?: string;
  perform(deps: Deps, task: Task, work: Work): Promise<unknown>;
  /** What goes in the write that says that it has failed or was cancelled. */
  undo?(deps: Deps, tx: Tx, task: Task): Promise<void>;
}

/** Every kind of task, and the operation that performs it. What it changes is done in the name of the task's user. */
export const taskKinds: Readonly<Record<string, Row>> = {
  'bulk images': { resumes: true, perform: performBulk },
  follow: { resumes: true, perform: performFollow },
  import: { resumes: true, lane: 'imports', perform: performImport, undo: undoImport },
  [DOCKER]: { resumes: true, lane: 'imports', perform: performDockerTask, undo: undoDocker },
  [LXD]: { resumes: true, lane: 'imports', perform: performLxdTask, undo: undoLxd },
  [CAMPAIGN]: { resumes: true, lane: 'campaigns', perform: performCampaign, undo: endCampaign },
  [CREATE]: { resumes: true, lane: 'snapshots', perform: performCreation, undo: undoCreation },
  [PULL]: { resumes: true, lane: 'nodes', perform: pullImage, undo: undoPull },
  [REMOVE]: { resumes: true, lane: 'nodes', perform: removeImage, undo: undoRemoval },
  [CLEAN]: { resumes: true, lane: 'nodes', perform: cleanPool, undo: undoCleaning },
  [DELETE]: { resumes: true, lane: 'deletions', perform: deleteImageTask, undo: undoDeletion },
  'copy image': { resumes: true, lane: 'copies', perform: copyImage },
};

/** How many of these lanes run at once. A node that hangs takes a place; what waits for nodes takes none from others. */
export const nodeLanes = { campaigns: Number.POSITIVE_INFINITY, nodes: 16, deletions: Number.POSITIVE_INFINITY };

/** The table, bound to what its operations reach: what they write goes through the catalog that the runner gives them. */
export function performing(deps: Deps, rows = taskKinds): TaskKinds {
  return Object.fromEntries(
    Object.entries(rows).map(([what, { resumes, lane, perform, undo }]) => [
      what,
      {
        resumes,
        lane,
        perform: (task: Task, work: Work, catalog: Catalog) => perform({ ...deps, catalog }, task, work),
        undo: undo && ((tx: Tx, task: Task) => undo(deps, tx, task)),
      },
    ]),
  );
}

import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { Access, Label } from '../model/registration.js';
import { Started } from '../model/task.js';
import { deleteManagedImage } from './delete-managed-image.js';
import { deprecateImage, undeprecateImage } from './deprecate-image.js';
import { attachImage, detachImage } from './place-image.js';
import { updateManagedImage } from './update-managed-image.js';
import type { Work } from './work.js';

export interface BulkWish {
  action: BulkAction;
  images: string[];
  /** Where the images are meant; for attach and detach, the data center itself. */
  dc?: string | undefined;
  force?: boolean | undefined;
  label?: Label | null | undefined;
  access?: Access | undefined;
  groups?: string[] | null | undefined;
  users?: string[] | undefined;
  global?: boolean | undefined;
  reason?: string | undefined;
  replacement?: string | undefined;
}

/** What has become of one image. */
export interface BulkRow {
  image: string;
  status: 'SUCCESS' | 'FAILURE';
  code: string | null;
  detail: string | null;
}

type Act = (
  deps: Deps,
  caller: Caller,
  named: { image: string; dc?: string | undefined },
  wish: BulkWish,
  along: (tx: Tx) => Promise<void>,
) => Promise<unknown>;

const actions = {
  deprecate: (deps, caller, named, wish, along) => deprecateImage(deps, caller, named, wish, { along }),
  undeprecate: (deps, caller, named, _, along) => undeprecateImage(deps, caller, named, { along }),
  delete: (deps, caller, named, { force = false }, along) => deleteManagedImage(deps, caller, named, { force, along }),
  label: (deps, caller, named, { label = null }, along) =>
    updateManagedImage(deps, caller, named, { label }, { along }),
  access: (deps, caller, named, { access }, along) => updateManagedImage(deps, caller, named, { access }, { along }),
  share: (deps, caller, named, { groups, users, global }, along) =>
    updateManagedImage(deps, caller, named, { groups, users, global }, { along }),
  attach: (deps, caller, { image }, { dc = '' }, along) => attachImage(deps, caller, { image, datacenter: dc, along }),
  detach: (deps, caller, { image }, { dc = '', force = false }, along) =>
    detachImage(deps, caller, { image, datacenter: dc, force, along }),
} as const satisfies Record<string, Act>;

type BulkAction = keyof typeof actions;
export const bulkActions = Object.keys(actions) as BulkAction[];

/** Which of its fields an action can not do without. */
export const bulkNeeds: Partial<Record<BulkAction, keyof BulkWish>> = {
  label: 'label',
  access: 'access',
  attach: 'dc',
  detach: 'dc',
};

/** One image after another, each in a write of its own that tells how far this is; what is refused to one is not to others. */
export async function bulkImages(
  deps: Deps,
  callerNow: () => Caller,
  wish: BulkWish,
  { soFar, work }: { soFar: readonly BulkRow[]; work: Work },
): Promise<BulkRow[]> {
  const rows = [...soFar];
  const act: Act = actions[wish.action];
  const total = wish.images.length;
  for (const image of wish.images.slice(rows.length)) {
    work.signal.throwIfAborted();
    const done: BulkRow = { image, status: 'SUCCESS', code: null, detail: null };
    const along = (tx: Tx) => work.keep(tx, { progress: { done: rows.length + 1, total }, result: [...rows, done] });
    try {
      const outcome = await act(deps, callerNow(), { image, dc: wish.dc }, wish, along);
      rows.push(outcome instanceof Started ? { ...done, detail: `task ${outcome.task.id} goes on with it` } : done);
    } catch (error) {
      if (work.signal.aborted) throw error;
      rows.push(failed(deps, image, error));
    }
    work.report({ done: rows.length, total });
  }
  return rows;
}

function failed({ log }: Deps, image: string, error: unknown): BulkRow {
  if (error instanceof ImgapiError) return { image, status: 'FAILURE', code: error.code, detail: error.message };
  log.error({ err: error, image }, 'one of many images failed');
  return { image, status: 'FAILURE', code: 'InternalError', detail: 'the server failed; its log tells why' };
}

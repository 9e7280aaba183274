import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { images, settle } from '../model/image.js';
import { bytesOfSteps, type DescribedStep, type ImportPlan, type ImportSource } from '../model/import.js';
import type { Pending, RegisteredImage } from '../model/registration.js';
import type { Started } from '../model/task.js';
import { withoutSecrets } from '../model/token.js';
import type { Viewer } from '../model/visibility.js';
import { checkFileSizes } from './check-file-sizes.js';
import { checkQuota } from './check-quota.js';
import { checkSpace } from './check-space.js';
import { checkStillImports } from './check-still-imports.js';
import { checkUnderWay } from './check-under-way.js';
import { checkWidening } from './check-widening.js';
import { checkTakesFiles } from './image-server.js';
import { saveImage } from './save-image.js';
import { startTask } from './start-task.js';

/** What a step makes of its manifest, and what is here that it fills. Throws what refuses it. */
export type Make = (
  tx: Tx,
  step: DescribedStep,
) => Promise<{ existing: RegisteredImage | undefined; image: RegisteredImage }>;

interface Order {
  viewer: Viewer;
  /** As they were planned. */
  steps: readonly DescribedStep[];
  /** Whose administrators see the task. */
  datacenter?: string | undefined;
  wanted: Make;
  origin: Make;
}

/** The images that will come, as what is on its way, and the task that fetches them: in one write, or nothing of it. */
export async function startImport(deps: Deps, order: Order): Promise<Started> {
  const { viewer, steps, datacenter } = order;
  const { directory, imports, policy } = deps;
  checkTakesFiles(directory);
  checkFileSizes(policy, steps);
  const plan: ImportPlan = { steps: steps.map(({ draft: _, ...step }) => step) };
  // The wanted one first, as people are told of it.
  const objects = steps.map(({ uuid, draft }) => ({ kind: images.name, id: uuid, name: String(draft.name) })).reverse();
  const wish = { what: IMPORT, ...(datacenter !== undefined && { datacenter }), objects, params: plan };
  let isPlanned = false;
  try {
    return await startTask(deps, viewer.caller, wish, async (tx, task) => {
      // In the write, so that of two that would fit alone one is refused.
      await checkUnderWay(tx, viewer.caller);
      await checkSpace(deps, bytesOfSteps(steps) ?? 0);
      for (const step of steps) await announce(deps, tx, order, step, task.id);
      for (const { uuid, file } of steps) imports.expect(uuid, file.size ?? 0);
      isPlanned = true;
    });
  } catch (error) {
    if (isPlanned) for (const { uuid } of steps) imports.forget(uuid);
    throw error;
  }
}

/** The kind of the tasks. */
const IMPORT = 'import';

async function announce(
  deps: Deps,
  tx: Tx,
  { viewer, steps, wanted, origin }: Order,
  step: DescribedStep,
  task: string,
): Promise<void> {
  const { existing, image } = await (step === steps.at(-1) ? wanted : origin)(tx, step);
  const { size } = step.file;
  checkStillImports(viewer.caller, image);
  const arriving = onItsWay(image, step, { task, what: IMPORT, ...(size !== undefined && { bytes: size }) });
  // Whoever may not show it in the end is told so before it comes.
  await checkWidening(tx, viewer, existing, { ...image, ...settle({ ...image, activated: true }) });
  await checkQuota(deps, tx, existing, arriving);
  await saveImage(tx, existing, arriving, deps.now());
}

/** As people may read it: what proves us to that host has no place in it. */
function addressIn(from: Exclude<ImportSource, { kind: 'repository' }>, uuid: string): string {
  const given = from.kind === 'url' ? (from.manifest ?? from.file) : `${from.url.replace(/\/$/, '')}/images/${uuid}`;
  const { origin, pathname } = new URL(given);
  return withoutSecrets(`${origin}${pathname}`);
}

/** Nothing may change it until it is here. */
function onItsWay(image: RegisteredImage, { from }: DescribedStep, pending: Pending): RegisteredImage {
  if (!image.registration) return { ...image, state: 'creating' };
  const { provenance, ...registration } = image.registration;
  const came = {
    ...provenance,
    ...(from.kind === 'repository' ? { repository: from.name } : { url: addressIn(from, image.uuid) }),
  };
  return { ...image, state: 'creating', registration: { ...registration, provenance: came, pending } };
}

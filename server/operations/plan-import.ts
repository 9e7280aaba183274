import { ImgapiError } from '../../imgapi/errors.js';
import { AnsweredBadly } from '../../imgapi/exchange-errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Source } from '../../storage/sources.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import {
  BadSource,
  checkActive,
  type DescribedStep,
  type ImportSource,
  LONGEST_CHAIN,
  type SourcePart,
  stepOf,
  type Wanted,
} from '../model/import.js';
import type { Viewer } from '../model/visibility.js';
import { checkAuthority } from './check-authority.js';
import { checkOrigin } from './check-relations.js';
import { openSource } from './open-source.js';

/** All that a request asks of sources, in milliseconds: somebody waits for it. */
export const PATIENCE = 30_000;

/** As much of what a source says as is told on. */
const MOST_TOLD = 300;

/**
 * What has to be fetched for an image to be here, what it builds on first, with their manifests. Origins that are here end
 * the way; those that are not come from the same source. Nobody waits for it any more once `until` is aborted.
 */
export async function planImport(
  deps: Deps,
  viewer: Viewer,
  wanted: Wanted,
  until?: AbortSignal,
): Promise<DescribedStep[]> {
  const late = AbortSignal.timeout(PATIENCE);
  const signal = until ? AbortSignal.any([until, late]) : late;
  const steps = [await describe(deps, wanted.from, wanted.uuid, signal)];
  const met = new Set(steps.map(({ uuid }) => uuid));
  for (let origin = await missingOrigin(deps, viewer, steps[0]); origin !== undefined; ) {
    if (!wanted.origins) throw new ImgapiError('OriginDoesNotExist', `origin image ${origin} is not here`);
    if (met.has(origin)) throw new BadSource('manifest', `image ${origin} comes from itself, by its origins`);
    if (met.size >= LONGEST_CHAIN)
      throw new BadSource('manifest', `more than ${LONGEST_CHAIN} images build on each other`);
    met.add(origin);
    const step = await describe(deps, wanted.origins, origin, signal);
    checkActive(step.manifest, origin, step.what);
    steps.unshift(step);
    origin = await missingOrigin(deps, viewer, step);
  }
  return steps.map(({ manifest: _, what: __, ...step }) => step);
}

/** The manifest of an image, as its source has it. */
export async function fetchManifest(deps: Deps, from: ImportSource, uuid: string): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(PATIENCE);
  const source = await openSource(deps, from);
  return asked('manifest', source, signal, () => source.describe(uuid, signal));
}

interface Described extends DescribedStep {
  manifest: Record<string, unknown>;
  what: string;
}

async function describe(
  deps: Deps,
  from: ImportSource,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<Described> {
  const source = await openSource(deps, from);
  const { what } = source;
  const manifest = await asked('manifest', source, signal, () => source.describe(wanted ?? '', signal));
  const step = stepOf(manifest, from, { wanted, what });
  checkAuthority(deps, from, step.uuid);
  return { ...step, manifest, what };
}

/** The uuid of what an image comes from and is not here; what is here has to be one that may be built on, and active. */
async function missingOrigin(
  { catalog }: Deps,
  viewer: Viewer,
  step: DescribedStep | undefined,
): Promise<string | undefined> {
  const origin = step?.draft.origin;
  if (origin === undefined || origin === null) return undefined;
  if (!isUuid(origin)) throw new BadSource('manifest', `the origin of image ${step?.uuid} is no uuid`);
  const here = await catalog.get(images, origin);
  if (!here) return origin;
  await checkOrigin(catalog, viewer, origin);
  if (here.state === 'active') return undefined;
  throw new ImgapiError('OriginIsNotActive', `origin image ${origin} is ${here.state} here`);
}

/** The step, with the size that its source tells of the file, where nobody has looked yet; throws where it can not be had. */
export async function probeFile(deps: Deps, step: DescribedStep): Promise<DescribedStep> {
  if (step.file.inside) return step;
  const signal = AbortSignal.timeout(PATIENCE);
  const source = await openSource(deps, step.from);
  const { body, size } = await asked('file', source, signal, () => source.file(step.uuid).open({ from: 0 }, signal));
  // Nobody reads it: what becomes of it does not matter.
  body.on('error', () => {}).destroy();
  if (size === undefined) return step;
  if (step.file.size !== undefined && step.file.size !== size) {
    const message = `${source.what} has ${size} bytes for the file of image ${step.uuid}, and says ${step.file.size}`;
    throw new BadSource('file', message);
  }
  return { ...step, file: { ...step.file, size } };
}

/** The address of a file is often not the one that somebody has named. */
const missing: Record<SourcePart, string> = { manifest: '', file: 'the file can not be had: ' };

/** What a source answers badly, or not at all, is said of that part of it, with its host. */
export async function asked<T>(
  part: SourcePart,
  { what }: Pick<Source, 'what'>,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof BadSource) throw cause;
    if (signal.aborted && signal.reason.name !== 'TimeoutError') throw signal.reason;
    if (signal.aborted) throw new BadSource(part, `${what} has not answered in ${PATIENCE / 1000} s`, { cause });
    if (!(cause instanceof ImgapiError)) throw cause;
    const answered = [cause, cause.cause].find((error) => error instanceof AnsweredBadly);
    const said = answered && answered !== cause ? `${answered.message}: ${cause.message}` : cause.message;
    throw new BadSource(part, `${missing[part]}${said}`.slice(0, MOST_TOLD), {
      cause,
      isGone: answered?.answered === 404,
    });
  }
}

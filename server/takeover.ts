import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { openLeftDirectory } from '../storage/open.js';
import type { LeftDirectory } from '../storage/sources.js';
import { OperatorMistake } from './model/operator-mistake.js';
import { REPORT, takeOver } from './operations/take-over.js';
import type { TakeoverDeps } from './operations/take-over-image.js';
import { untilSignal } from './signals.js';
import { showProgress, summary } from './takeover-lines.js';

const expected = [
  'the base directory of a reference server has manifests/, images/ and archive/',
  'the datasets directory of a Danube Cloud image server has UUID/manifest and UUID/file',
].join('; ');

/** What `--takeover` names, found to be something that can be taken over into this data directory. */
export async function findTakeover(path: string, data: string): Promise<LeftDirectory> {
  const [there, here] = await Promise.all([realPath(path), realPath(data)]);
  if (isWithin(there, here) || isWithin(here, there)) {
    throw new OperatorMistake(
      `--takeover ${path} and the data directory ${data} lie in one another: choose another directory with --data`,
    );
  }
  const found = await stat(there).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new OperatorMistake(`--takeover ${path}: ${error.message}`, { cause: error });
  });
  if (!found?.isDirectory()) throw new OperatorMistake(`--takeover ${path}: there is no such directory`);
  const directory = await openLeftDirectory(there);
  if (directory) return directory;
  throw new OperatorMistake(`--takeover ${path}: there is nothing to take over: ${expected}`);
}

/** Before anybody is served. A signal ends it, and the start with it. */
export async function takeOverFirst(deps: TakeoverDeps, directory: LeftDirectory, data: string): Promise<void> {
  const lastWords = 'The takeover was interrupted: what was taken is here whole. Start again, and it goes on.';
  const shown = showProgress(process.stdout);
  const work = (signal: AbortSignal) => takeOver(deps, directory, { data, signal, progress: shown.update });
  const report = await untilSignal(work, lastWords).finally(shown.end);
  console.log(`${summary(report, join(data, REPORT))}\n`);
}

/** Also of what is still to be made. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isAbsent || dirname(resolve(path)) === resolve(path)) throw error;
    return join(await realPath(dirname(resolve(path))), basename(path));
  }
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`));
}

import { type FieldError, ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { refreshRepository } from './refresh-repository.js';
import type { Repository } from './repository-book.js';

/** So many are asked side by side. */
const AT_ONCE = 4;

/** Each of them whatever becomes of the others; throws with what each of those that failed has failed by. */
export async function refreshAll(deps: Deps, all: readonly Repository[]): Promise<void> {
  const failed: FieldError[] = [];
  const left = [...all];
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const { name } = next;
      await refreshRepository(deps, next).catch((error: unknown) => {
        if (!(error instanceof ImgapiError)) throw error;
        failed.push({ field: name, code: 'Invalid', message: error.message });
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failed.length === 0) return;
  const names = failed.map(({ field }) => field).sort();
  throw new ImgapiError('RepositoryFailed', `not refreshed: ${names.join(', ')}`, { errors: failed });
}

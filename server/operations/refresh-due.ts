import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { isDue } from '../model/repository.js';
import { forgetStale, refreshRepository } from './refresh-repository.js';
import { repositoryOf, setupsOf } from './repositories.js';

/** Refreshes what is due by its schedule, one behind another. What fails is kept with the repository, and logged. */
export async function refreshDue(deps: Deps): Promise<void> {
  await forgetStale(deps);
  for (const { name } of setupsOf(deps).filter((setup) => isDue(setup, deps.now()))) {
    try {
      await refreshRepository(deps, repositoryOf(deps, name));
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      deps.log.warn({ repository: name, reason: error.message }, 'a repository could not be refreshed');
    }
  }
}

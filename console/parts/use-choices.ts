import { useAsked } from '../api/use-asked.js';

/** The repositories that are set up, by name. */
export const useRepositoryNames = (): readonly string[] =>
  useAsked<string[]>('/repository', { kinds: ['repositories'] }).answer?.result ?? [];

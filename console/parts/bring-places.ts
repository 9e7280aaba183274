import { useAsked } from '../api/use-asked.js';
import { useAccount } from '../session.js';
import { datacentersFor, type ImageValues, imageFields, unsaid, type Way } from './bring-fields.js';
import type { Field } from './field.js';

interface Options {
  way: Way;
  isPlaced?: boolean;
  hasManifest?: boolean;
}

const PRIVATE = '3';

/** The fields of an image for whoever is signed in, and what stands in them at first. */
export function useImageFields<T extends ImageValues>(
  options: Options,
): {
  fields: Field<T>[];
  initial: ImageValues;
} {
  const account = useAccount();
  const all = useAsked<string[]>(account.super_admin ? '/dc' : undefined).answer?.result ?? [];
  const [only, ...others] = account.super_admin ? [] : datacentersFor(account, options.way);
  return {
    fields: imageFields<T>({ account, all, ...options }),
    initial: {
      ...unsaid,
      access: options.hasManifest ? '' : PRIVATE,
      dc: only !== undefined && others.length === 0 ? only : '',
    },
  };
}

/** The stored credentials for sources that whoever is signed in may use. */
export function useSecretChoices(): readonly (readonly [string, string])[] {
  const names = useAsked<string[]>('/secret', { kinds: ['secrets'] }).answer?.result ?? [];
  return [['', 'none'], ...[...new Set(names)].map((name) => [name, name] as const)];
}

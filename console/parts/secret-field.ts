import type { Field } from './field.js';

/** With what a source is asked. */
export const secretField = <T extends { secret: string }>(
  choices: readonly (readonly [value: string, label: string])[],
): Field<T> => ({
  name: 'secret',
  label: 'Credentials',
  kind: 'choice',
  choices,
  hint: 'a stored secret, which is told to its own host only',
  isAdvanced: true,
});

import type { z } from 'zod';
import { type FieldError, invalidInput } from '../../../imgapi/errors.js';

/** Messages follow the name of their field. */
const explain: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? 'is missing' : `is not ${aOrAn(issue.expected)}`;
  }
  if (issue.code === 'invalid_value') return `is not one of ${issue.values.join(', ')}${given(issue.input)}`;
  return 'is not valid';
};

const given = (input: unknown) => (typeof input === 'string' && input.length <= 64 ? `: "${input}"` : '');

const aOrAn = (type: string) => `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;

/** What comes from outside, as the schema says that it is; throws 400 InvalidInput naming every field that is not. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what: 'body' | 'query'): z.output<S> {
  const { success, data, error } = schema.safeParse(value, { error: explain, reportInput: true });
  if (success) return data;
  throw invalidInput(error.issues.flatMap((issue) => fieldErrors(issue, what)));
}

function fieldErrors(issue: z.core.$ZodIssue, what: string): FieldError[] {
  const at = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => told([...at, key].join('.'), 'NotAllowed', 'is not known here'));
  }
  if (issue.code === 'invalid_key') {
    return [told(at.join('.'), 'Invalid', issue.issues[0]?.message ?? issue.message)];
  }
  const code = issue.input === undefined ? 'MissingParameter' : 'Invalid';
  return [told(at.join('.') || what, code, at.length > 0 ? issue.message : 'is not a JSON object')];
}

const told = (field: string, code: FieldError['code'], message: string): FieldError => ({
  field,
  code,
  message: `${field} ${message}`,
});

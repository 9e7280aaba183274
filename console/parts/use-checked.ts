import { useEffect, useState } from 'preact/hooks';
import { Refusal } from '../api/ask.js';

/** In milliseconds: the server is not asked between two letters. */
const PAUSE = 500;

/** Refusals that are of one field without naming it: of the first of these that the form has. */
const placed: Readonly<Record<string, readonly string[]>> = {
  ObjectAlreadyExists: ['name', 'dc', 'host', 'snap'],
  InvalidDisk: ['disk_id'],
};

/** What the server has said of each field of a form with these values. */
export function fieldsOf(refusal: unknown, values: object): Readonly<Record<string, string>> {
  if (!(refusal instanceof Refusal)) return {};
  const field = placed[refusal.code]?.find((name) => name in values);
  const said: Record<string, string> = {};
  for (const [at, words] of Object.entries(refusal.fields)) {
    // One of several, such as tags.0 or images.0.size, is said of all of them.
    const [whole = at] = at.split('.');
    said[!(at in values) && whole in values ? whole : at] ??= words;
  }
  return field === undefined ? said : { [field]: refusal.message, ...said };
}

/** Asks whether what is typed would be refused. */
export type Check<T> = (values: T, typed: Partial<T>, signal: AbortSignal) => Promise<unknown>;

/** What the server says of what is typed, after a pause: of the fields that were touched, as others may be filled in yet. */
export function useChecked<T extends object>(check: Check<T> | undefined, values: T, typed: Partial<T>) {
  const [said, setSaid] = useState<Readonly<Record<string, string>>>({});
  const key = JSON.stringify(values);
  const isTouched = Object.keys(typed).length > 0;
  useEffect(() => {
    if (!check || !isTouched) return setSaid({});
    const abort = new AbortController();
    const timer = setTimeout(() => {
      check(values, typed, abort.signal).then(
        () => setSaid({}),
        // Where the server is away nothing is known to be wrong.
        (error: unknown) => abort.signal.aborted || setSaid(onlyOf(typed, fieldsOf(error, values))),
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, isTouched]);
  return said;
}

const onlyOf = (typed: object, said: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(said).filter(([field]) => field in typed));

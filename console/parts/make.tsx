import type { ComponentChildren } from 'preact';
import { type Answer, ask, part, Refusal } from '../api/ask.js';
import { type Field, Form } from './form.js';

interface Props<V extends object, T> {
  /** Under which what is typed is kept. */
  name: string;
  /** Which field says how the new thing is called. */
  called: keyof V & string;
  /** Where it will be: behind this stands its name. */
  path: string;
  fields: readonly Field<V>[];
  initial: V;
  /** What is sent; unless said, what is filled in. */
  body?: (values: V) => object;
  told?: (values: V) => ComponentChildren;
  done: (answer: Answer<T>, name: string) => void;
  cancel: () => void;
  label?: string;
}

const isFilled = (value: unknown) =>
  value !== '' && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);

export const filled = <V extends object>(values: V): Partial<V> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => isFilled(value))) as Partial<V>;

/** A name stands in the path: without one, something else would be asked for. */
export function nameIn<V extends object>(values: V, field: keyof V & string): string {
  const name = String(values[field]).trim();
  if (name === '') throw new Refusal(400, 'InvalidInput', 'it has no name yet', { [field]: 'is missing' });
  return name;
}

/** A new thing, which is called by its name in the path. */
export function Make<V extends object, T = unknown>({
  name,
  called,
  path,
  fields,
  initial,
  body = filled,
  told,
  done,
  cancel,
  label = 'Make it',
}: Props<V, T>) {
  const submit = async (values: V) => {
    const { [called]: _, ...rest } = values;
    const id = nameIn(values, called);
    done(await ask<T>(`${path}/${part(id)}`, { method: 'POST', body: body(rest as V) }), id);
  };
  return (
    <Form
      name={`make:${name}`}
      fields={fields}
      initial={initial}
      submit={submit}
      label={label}
      cancel={cancel}
      {...(told && { told })}
    />
  );
}

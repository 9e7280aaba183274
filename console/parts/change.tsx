import { useEffect, useRef } from 'preact/hooks';
import { type Answer, ask, type Wish } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { Failure } from './failure.js';
import { type Field, Form } from './form.js';

interface Given<T, V extends object> {
  path: string;
  /** Where there are several forms of one thing: which. */
  name?: string;
  query?: Wish['query'];
  fields: readonly Field<V>[];
  /** What of the thing can be changed. */
  from: (thing: T) => V;
  /** What is sent; what was typed unless said. */
  body?: (typed: Partial<V>, values: V) => object;
  /** Throws where something has to be confirmed before it is sent. */
  confirmed?: (values: V) => void;
  /** The server says while it is typed what it would refuse. */
  isChecked?: boolean;
  done: (answer: Answer<unknown>) => void;
  cancel?: () => void;
  label?: string;
}

interface Props<T, V extends object> extends Given<T, V> {
  /** Whose changes it follows while it is open. */
  kinds?: readonly string[];
}

/** A thing to be changed, as it is now. */
export function Change<T, V extends object>({ kinds = [], ...given }: Props<T, V>) {
  const { path, query } = given;
  const { answer, failure, refresh } = useAsked<T>(path, { kinds, ...(query && { query }) });
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  return <ChangeOf {...given} answer={answer} refresh={refresh} />;
}

interface OfProps<T, V extends object> extends Given<T, V> {
  answer: Answer<T>;
  refresh: () => void;
}

/** Only what was typed is sent, and it is done only if nobody else has changed the thing since it was read. */
export function ChangeOf<T, V extends object>({
  path,
  name = '',
  query,
  answer,
  refresh,
  fields,
  from,
  body = (typed) => typed,
  confirmed,
  isChecked = false,
  done,
  cancel,
  label = 'Save',
}: OfProps<T, V>) {
  const wishOf = (values: V, typed: Partial<V>): Wish => ({
    method: 'PUT',
    body: body(typed, values),
    ...(query && { query }),
  });
  const check = (values: V, typed: Partial<V>, signal: AbortSignal) =>
    ask(path, { ...wishOf(values, typed), isCheck: true, signal });
  // What one has saved oneself may not have been read again when more is saved.
  const own = useRef<{ over: string | undefined; left: string | undefined } | undefined>(undefined);
  // Read again, it is known by its tag; which may come once more, when somebody takes the change back.
  useEffect(() => {
    own.current = undefined;
  }, [answer.tag]);
  const submit = async (values: V, typed: Partial<V>) => {
    confirmed?.(values);
    const over = answer.tag;
    const ifMatch = own.current?.over === over ? own.current?.left : over;
    const changed = await ask(path, { ...wishOf(values, typed), ifMatch });
    own.current = { over, left: changed.tag ?? over };
    refresh();
    done(changed);
  };
  return (
    <Form
      name={`change:${path}:${name}`}
      fields={fields}
      initial={from(answer.result)}
      submit={submit}
      again={refresh}
      label={label}
      {...(isChecked && { check })}
      {...(cancel && { cancel })}
    />
  );
}

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refusal, Unreachable } from '../api/ask.js';
import { useDraft } from './draft.js';
import { Failure } from './failure.js';
import { type Field, Line } from './field.js';
import { type Check, fieldsOf, useChecked } from './use-checked.js';

export type { Field } from './field.js';

interface Props<T extends object> {
  /** Under which what is typed is kept until it is sent. */
  name: string;
  fields: readonly Field<T>[];
  /** As it is on the server: what nobody has typed over follows it. */
  initial: T;
  /** All values, and those that were typed. */
  submit: (values: T, typed: Partial<T>) => Promise<unknown>;
  /** Asks the server after each pause in typing whether it would refuse that. */
  check?: Check<T>;
  /** Asks what it is by now, where somebody else may have changed it. */
  again?: () => unknown;
  label: string;
  cancel?: () => void;
  /** What was refused of one thing is not said of another. */
  about?: string | undefined;
  /** What was sent is done with: the next one can be typed. */
  clears?: boolean;
  isGrave?: boolean;
  /** What would come of what is filled in. */
  told?: (values: T) => ComponentChildren;
  children?: ComponentChildren;
}

/** What is wrong stands at its field, in the server's own words; the first of them has the focus. */
export function Form<T extends object>({
  name,
  fields,
  initial,
  submit,
  check,
  again,
  label,
  cancel,
  about,
  clears = false,
  isGrave,
  told,
  children,
}: Props<T>) {
  const unkept = fields
    .filter(({ kind, isProof }) => isProof || kind === 'password' || kind === 'secret-area')
    .map((field) => field.name);
  const { values, typed, overtaken, change, forget, settle } = useDraft(name, initial, unkept);
  const [failure, setFailure] = useState<Refusal | Unreachable>();
  const [sent, setSent] = useState<T>();
  const checked = useChecked(check, values, typed);
  const [isSending, setSending] = useState(false);
  const [isLoading, setLoading] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const refused = fieldsOf(failure, values);
  // What was refused is not what stands there any more.
  const stands = (field: string) => !check || sent?.[field as keyof T] === values[field as keyof T];
  const said = { ...checked, ...Object.fromEntries(Object.entries(refused).filter(([field]) => stands(field))) };
  const shown = fields.filter(({ when }) => !when || when(values));
  const unplaced = Object.entries(refused).filter(([field]) => !shown.some(({ name }) => name === field));

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [failure]);

  useEffect(() => setFailure(undefined), [about]);

  const send = async (event: Event) => {
    event.preventDefault();
    if (isSending || isLoading) return;
    setSending(true);
    setFailure(undefined);
    setSent(values);
    try {
      await submit(values, typed);
      settle(typed, { clears });
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      setFailure(error);
    } finally {
      setSending(false);
    }
  };

  const line = (field: Field<T>) => (
    <Line
      key={field.name}
      field={field}
      value={values[field.name]}
      error={said[field.name]}
      // Elsewhere it is a default that has changed.
      theirs={again && overtaken.includes(field.name) ? initial[field.name] : undefined}
      change={change}
    />
  );
  const advanced = shown.filter(({ isAdvanced }) => isAdvanced);
  const isOvertaken = failure instanceof Refusal && failure.status === 412;
  const load = async () => {
    setFailure(undefined);
    setLoading(true);
    await again?.();
    setLoading(false);
  };
  return (
    <form ref={form} onSubmit={send} noValidate>
      {children}
      {shown.filter(({ isAdvanced }) => !isAdvanced).map(line)}
      {told?.(values)}
      {advanced.length > 0 && (
        // What was opened to show what is wrong stays open when it is right.
        <details
          open={isOpen || advanced.some((field) => said[field.name] !== undefined)}
          onToggle={(event) => setOpen(event.currentTarget.open)}
        >
          <summary>Advanced</summary>
          {advanced.map(line)}
        </details>
      )}
      {failure && (shown.every((field) => refused[field.name] === undefined) || unplaced.length > 0) && (
        <Failure of={failure} wasToBe={fields.length > 0 ? 'sent' : 'done'} />
      )}
      {isOvertaken && again && (
        <p>
          Somebody else has changed it. What you have typed is kept.{' '}
          <button type="button" onClick={load}>
            Load it anew
          </button>
        </p>
      )}
      {unplaced.map(([field, words]) => (
        <p key={field} class="error">
          {field}: {words}
        </p>
      ))}
      <footer>
        {cancel && (
          <button
            type="button"
            onClick={() => {
              forget();
              cancel();
            }}
          >
            Cancel
          </button>
        )}
        <button type="submit" class={isGrave ? 'grave' : 'main'} aria-disabled={isSending || isLoading}>
          {isSending ? 'Sending …' : isLoading ? 'Loading …' : label}
        </button>
      </footer>
    </form>
  );
}

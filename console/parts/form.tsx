import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Refusal, Unreachable } from '../api/ask.js';
import { useDraft } from './draft.js';
import { Failure } from './failure.js';

/** How a field is filled in: a table is a form. */
export interface Field<T> {
  name: keyof T & string;
  label: string;
  kind?: 'text' | 'password' | 'number' | 'check' | 'area' | 'choice' | 'words';
  hint?: string;
  choices?: readonly (readonly [value: string, label: string])[];
  isRequired?: boolean;
  autocomplete?: string;
  /** Only where the other fields make it meaningful. */
  when?: (values: T) => boolean;
  /** Behind the others, until somebody asks for it. */
  isAdvanced?: boolean;
}

interface Props<T extends object> {
  /** Under which what is typed is kept until it is sent. */
  name: string;
  fields: readonly Field<T>[];
  initial: T;
  submit: (values: T) => Promise<unknown>;
  label: string;
  cancel?: () => void;
  isGrave?: boolean;
  children?: ComponentChildren;
}

/** What is wrong stands at its field, in the server's own words; the first of them has the focus. */
export function Form<T extends object>({ name, fields, initial, submit, label, cancel, isGrave, children }: Props<T>) {
  const secrets = fields.filter(({ kind }) => kind === 'password').map((field) => field.name);
  const { values, change, forget } = useDraft(name, initial, secrets);
  const [failure, setFailure] = useState<Refusal | Unreachable>();
  const [isSending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const said = failure instanceof Refusal ? failure.fields : {};
  const shown = fields.filter(({ when }) => !when || when(values));
  const unplaced = Object.entries(said).filter(([field]) => !shown.some(({ name }) => name === field));

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [failure]);

  const send = async (event: Event) => {
    event.preventDefault();
    if (isSending) return;
    setSending(true);
    setFailure(undefined);
    try {
      await submit(values);
      forget();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      setFailure(error);
    } finally {
      setSending(false);
    }
  };

  const line = (field: Field<T>) => (
    <Line key={field.name} field={field} value={values[field.name]} error={said[field.name]} change={change} />
  );
  const advanced = shown.filter(({ isAdvanced }) => isAdvanced);
  return (
    <form ref={form} onSubmit={send} noValidate>
      {children}
      {shown.filter(({ isAdvanced }) => !isAdvanced).map(line)}
      {advanced.length > 0 && (
        <details open={advanced.some((field) => said[field.name] !== undefined)}>
          <summary>Advanced</summary>
          {advanced.map(line)}
        </details>
      )}
      {failure && (shown.every((field) => said[field.name] === undefined) || unplaced.length > 0) && (
        <Failure of={failure} />
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
        <button type="submit" class={isGrave ? 'grave' : 'main'} aria-disabled={isSending}>
          {isSending ? 'Sending …' : label}
        </button>
      </footer>
    </form>
  );
}

interface LineProps<T> {
  field: Field<T>;
  value: T[keyof T & string];
  error: string | undefined;
  change: <F extends keyof T>(field: F, value: T[F]) => void;
}

function Line<T>({ field, value, error, change }: LineProps<T>) {
  const id = useId();
  const { name, label, kind = 'text', hint, choices = [], isRequired, autocomplete } = field;
  const set = (next: unknown) => change(name, next as T[typeof name]);
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  const common = {
    id,
    name,
    'aria-invalid': error !== undefined,
    'aria-required': isRequired,
    ...(told && { 'aria-describedby': told }),
  };
  const text = value === undefined || value === null ? '' : String(value);
  const inputs: Record<NonNullable<Field<T>['kind']>, () => ComponentChildren> = {
    text: () => <input {...common} type="text" value={text} autocomplete={autocomplete ?? 'off'} onInput={typed} />,
    password: () => <input {...common} type="password" value={text} autocomplete={autocomplete} onInput={typed} />,
    number: () => <input {...common} type="number" value={text} onInput={typed} />,
    check: () => (
      <input {...common} type="checkbox" checked={value === true} onChange={(e) => set(e.currentTarget.checked)} />
    ),
    area: () => <textarea {...common} rows={4} value={text} onInput={typed} />,
    choice: () => (
      <select {...common} value={text} onChange={typed}>
        {choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    ),
    words: () => (
      <input
        {...common}
        type="text"
        value={Array.isArray(value) ? value.join(', ') : text}
        onChange={(e) => set(wordsOf(e.currentTarget.value))}
      />
    ),
  };
  function typed(event: { currentTarget: { value: string } }): void {
    set(event.currentTarget.value);
  }
  return (
    <div class={`field ${kind}`}>
      <label for={id}>
        {label}
        {isRequired && <span aria-hidden="true"> *</span>}
      </label>
      {inputs[kind]()}
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
      {error && (
        <small id={`${id}-error`} class="error">
          {error}
        </small>
      )}
    </div>
  );
}

const wordsOf = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

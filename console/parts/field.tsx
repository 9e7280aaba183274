import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import '../style/form.css';

/** How a field is filled in: a table is a form. */
export interface Field<T> {
  name: keyof T & string;
  label: string;
  kind?: 'text' | 'password' | 'number' | 'check' | 'checks' | 'area' | 'secret-area' | 'choice' | 'words' | 'date';
  hint?: string;
  choices?: readonly (readonly [value: string, label: string])[];
  /** What can be meant, where anything may be typed. */
  suggestions?: readonly string[];
  isRequired?: boolean;
  autocomplete?: string;
  /** Only where the other fields make it meaningful. */
  when?: (values: T) => boolean;
  /** Of somebody who means it this once: it is never remembered. */
  isProof?: boolean;
  /** Behind the others, until somebody asks for it. */
  isAdvanced?: boolean;
}

interface LineProps<T> {
  field: Field<T>;
  value: T[keyof T & string];
  error: string | undefined;
  /** What somebody else has made of it since this was typed. */
  theirs: T[keyof T & string] | undefined;
  change: <F extends keyof T>(field: F, value: T[F]) => void;
}

/** One field with its label, its hint, and what is wrong with it. */
export function Line<T>({ field, value, error, theirs, change }: LineProps<T>) {
  const id = useId();
  const { name, label, kind = 'text', hint, choices = [], suggestions, isRequired, autocomplete } = field;
  const set = (next: unknown) => change(name, next as T[typeof name]);
  const told = [hint && `${id}-hint`, error && `${id}-error`, theirs !== undefined && `${id}-theirs`]
    .filter(Boolean)
    .join(' ');
  const common = {
    id,
    name,
    'aria-invalid': error !== undefined,
    'aria-required': isRequired,
    ...(told && { 'aria-describedby': told }),
  };
  const text = value === undefined || value === null ? '' : String(value);
  const inputs: Record<NonNullable<Field<T>['kind']>, () => ComponentChildren> = {
    text: () => (
      <>
        <input
          {...common}
          type="text"
          value={text}
          autocomplete={autocomplete ?? 'off'}
          list={suggestions && `${id}-list`}
          onInput={typed}
        />
        {suggestions && (
          <datalist id={`${id}-list`}>
            {suggestions.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        )}
      </>
    ),
    password: () => <input {...common} type="password" value={text} autocomplete={autocomplete} onInput={typed} />,
    number: () => <input {...common} type="number" value={text} onInput={typed} />,
    date: () => <input {...common} type="date" value={text} onInput={typed} />,
    check: () => (
      <input {...common} type="checkbox" checked={value === true} onChange={(e) => set(e.currentTarget.checked)} />
    ),
    checks: () => <Checks common={common} choices={choices} value={Array.isArray(value) ? value : []} set={set} />,
    'secret-area': () => (
      <textarea {...common} rows={6} value={text} autocomplete="off" spellcheck={false} onInput={typed} />
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
    words: () => <Words common={common} value={Array.isArray(value) ? value : []} set={set} />,
  };
  function typed(event: { currentTarget: { value: string } }): void {
    set(event.currentTarget.value);
  }
  return (
    <div class={`field ${kind}`}>
      {kind === 'checks' ? (
        <span class="label" id={`${id}-label`}>
          {label}
        </span>
      ) : (
        <label for={id}>
          {label}
          {isRequired && <span aria-hidden="true"> *</span>}
        </label>
      )}
      {inputs[kind]()}
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
      {theirs !== undefined && (
        <small id={`${id}-theirs`} class="error" role="status">
          Somebody else has made it {shownOf(theirs)} meanwhile.{' '}
          <button type="button" class="plain link" onClick={() => set(theirs)}>
            Take that
          </button>
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

const shownOf = (value: unknown) =>
  value === '' || value === null
    ? 'empty'
    : typeof value === 'boolean'
      ? (value && 'on') || 'off'
      : `“${Array.isArray(value) ? value.join(', ') : String(value)}”`;

interface ChecksProps {
  common: { id: string; name: string; 'aria-invalid': boolean };
  choices: readonly (readonly [value: string, label: string])[];
  value: readonly string[];
  set: (next: string[]) => void;
}

/** Any number of a few. */
const Checks = ({ common: { id, ...common }, choices, value, set }: ChecksProps) => (
  <fieldset id={id} class="checks" aria-labelledby={`${id}-label`}>
    {choices.map(([one, label]) => (
      <label key={one}>
        <input
          {...common}
          type="checkbox"
          value={one}
          checked={value.includes(one)}
          onChange={(event) =>
            set(event.currentTarget.checked ? [...value, one] : value.filter((other) => other !== one))
          }
        />
        <span>{label}</span>
      </label>
    ))}
  </fieldset>
);

interface WordsProps {
  common: { id: string; name: string };
  value: readonly string[];
  set: (next: string[]) => void;
}

/** What is typed stays as it is typed, as long as it means the same. */
function Words({ common, value, set }: WordsProps) {
  const [typed, setTyped] = useState('');
  const isMeant = wordsOf(typed).join() === value.join();
  return (
    <input
      {...common}
      type="text"
      value={isMeant ? typed : value.join(', ')}
      onInput={({ currentTarget: { value } }) => {
        setTyped(value);
        set(wordsOf(value));
      }}
    />
  );
}

const wordsOf = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

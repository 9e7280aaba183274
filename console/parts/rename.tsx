import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';

type Image = Pick<Results['GetManagedImage'], 'name' | 'alias' | 'may'>;

/** A name that is changed where it stands: Enter saves, Escape brings back what it was. */
export function Rename({ image: { name, alias, may } }: { image: Image }) {
  const [typed, setTyped] = useState<string>();
  const [problem, setProblem] = useState<string>();
  if (!may.includes('update')) return <>{alias}</>;
  if (typed === undefined) {
    return (
      <button
        type="button"
        class="plain rename"
        title="rename"
        aria-label={`${alias}: rename`}
        onClick={() => setTyped(alias)}
      >
        {alias}
      </button>
    );
  }
  const end = () => {
    setTyped(undefined);
    setProblem(undefined);
  };
  const save = async () => {
    if (typed === alias) return end();
    try {
      await ask(`/image/${part(name)}`, { method: 'PUT', body: { alias: typed } });
      end();
    } catch (error) {
      const { message, fields = {} } = error as Error & { fields?: Record<string, string> };
      setProblem(fields.alias ?? message);
    }
  };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Enter') void save();
    else if (event.key === 'Escape') end();
  };
  return (
    <span class="rename">
      <input
        ref={(input) => input?.focus()}
        aria-label={`new name of ${alias}`}
        aria-invalid={problem !== undefined}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      {problem && (
        <small class="error" role="alert">
          {problem}
        </small>
      )}
    </span>
  );
}

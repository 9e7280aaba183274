import type { ComponentChildren } from 'preact';
import '../style/lines.css';

interface Props<T> {
  /** What they are, for those who do not see it. */
  label: string;
  of: readonly T[] | undefined;
  idOf: (one: T) => string;
  title: (one: T) => ComponentChildren;
  details?: (one: T) => ComponentChildren;
  actions?: (one: T) => ComponentChildren;
  empty: ComponentChildren;
}

/** A few things one below the other, each with what can be done to it. */
export function Lines<T>({ label, of, idOf, title, details, actions, empty }: Props<T>) {
  if (!of) return <p class="loading">loading …</p>;
  if (of.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <ul class="lines" aria-label={label}>
      {of.map((one) => (
        <li key={idOf(one)}>
          <div>
            <div>{title(one)}</div>
            {details && <small class="quiet">{details(one)}</small>}
          </div>
          {actions && <span class="line-actions">{actions(one)}</span>}
        </li>
      ))}
    </ul>
  );
}

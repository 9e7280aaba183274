/** One thing that was looked at. */
export interface Finding {
  name: string;
  /** Null where it could not be told, which speaks against nothing. */
  ok: boolean | null;
  found: string;
  advice?: string | null;
}

const marks = [
  [true, '✓', 'good', 'good'],
  [false, '✗', 'bad', 'wrong'],
  [null, '?', '', 'not known'],
] as const;

export const Findings = ({ all, label }: { all: readonly Finding[]; label: string }) => (
  <ul class="findings" aria-label={label}>
    {all.map(({ name, ok, found, advice }) => {
      const [, mark, tone, word] = marks.find(([when]) => when === ok) ?? marks[2];
      return (
        <li key={name}>
          <span class={`finding ${tone}`} role="img" aria-label={word}>
            {mark}
          </span>
          <span>
            <strong>{name}</strong> {found}
            {advice && <small>{advice}</small>}
          </span>
        </li>
      );
    })}
  </ul>
);

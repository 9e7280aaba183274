import type { Column } from './columns.js';

interface Props<T> {
  columns: readonly Column<T>[];
  order: string;
  setOrder: (order: string) => void;
}

/** Where rows stand below each other there are no heads of columns to press. */
export function SortBy<T>({ columns, order, setOrder }: Props<T>) {
  const sorted = columns.filter(({ order }) => order !== undefined);
  if (sorted.length === 0) return null;
  return (
    <label class="sort-by">
      Sort by{' '}
      <select value={order} onChange={(event) => setOrder(event.currentTarget.value)}>
        <option value="">what is usual</option>
        {sorted.map(({ name, title, order }) => [
          <option key={name} value={order}>
            {title}
          </option>,
          <option key={`-${name}`} value={`-${order}`}>
            {title}, reversed
          </option>,
        ])}
      </select>
    </label>
  );
}

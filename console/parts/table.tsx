import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Rows } from '../api/use-rows.js';
import { go, useQuery } from '../router.js';
import { type Column, Columns, useColumns } from './columns.js';
import { Failure } from './failure.js';
import { RowCount, RowsSeen } from './row-count.js';
import type { Selection } from './selection.js';
import { SortBy } from './sort-by.js';
import { useIsWide, useWindow } from './use-window.js';

export type { Column } from './columns.js';

interface Props<T> {
  /** Under which the choice of columns is remembered. */
  name: string;
  caption: string;
  rows: Rows<T>;
  columns: readonly Column<T>[];
  idOf: (row: T) => string;
  /** How a row is called where its id says nothing to people. */
  nameOf?: (row: T) => string;
  /** Where a row leads. */
  to?: (row: T) => string;
  selection?: Selection;
  /** In words, what it means that there is nothing. */
  empty: ComponentChildren;
  classOf?: (row: T) => string;
  /** Beside the rows' count: what is done to them. */
  tools?: ComponentChildren;
}

/** A list of any length: what is not seen is not there, but the scrollbar, the keys and screen readers know of it. */
export function Table<T>({
  name,
  caption,
  rows,
  columns,
  idOf,
  nameOf = idOf,
  to,
  selection,
  empty,
  classOf = () => '',
  tools,
}: Props<T>) {
  const { chosen, choose } = useColumns(name, columns);
  const [order, setOrder] = useQuery('sort');
  const body = useRef<HTMLTableSectionElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const isWide = useIsWide(box);
  const { first, last, height, toRow } = useWindow(body, rows.total ?? 0, chosen.length);
  const [at, setAt] = useState(0);
  /** On which the keys are, once they have moved: where rows come or go above, it is not another one. */
  const held = useRef<string | undefined>(undefined);
  useEffect(() => rows.show(first, last), [first, last, rows.show]);

  if (rows.failure && rows.total === undefined) return <Failure of={rows.failure} again={rows.refresh} />;
  const total = rows.total ?? 0;
  const seen = Array.from({ length: Math.max(0, Math.min(last + 1, total) - first) }, (_, n) => first + n);

  const idAt = (index: number) => {
    const row = rows.at(index);
    return row && idOf(row);
  };
  const focused =
    held.current === undefined || idAt(at) === held.current
      ? at
      : (seen.find((index) => idAt(index) === held.current) ?? at);

  const onKey = (event: KeyboardEvent) => {
    const row = rows.at(focused);
    const step = steps[event.key];
    if (step) {
      const next = Math.max(0, Math.min(total - 1, step(focused, total)));
      setAt(next);
      held.current = idAt(next);
      toRow(next);
    } else if (event.key === 'Enter' && to && row && event.target === event.currentTarget) go(to(row));
    else if (event.key === ' ' && selection && row && event.target === event.currentTarget) selection.toggle(idOf(row));
    else return;
    event.preventDefault();
  };

  return (
    <div class={isWide ? 'table wide' : 'table'} style={{ '--lines': chosen.length + (selection ? 1 : 0) }}>
      <div class="table-bar">
        <RowCount rows={rows} selected={selection?.size ?? 0} />
        {tools}
        <SortBy columns={columns} order={order} setOrder={setOrder} />
        <Columns all={columns} chosen={chosen} choose={choose} />
      </div>
      {rows.failure && <Failure of={rows.failure} again={rows.refresh} />}
      {/* A grid without rows would be none. */}
      {rows.total === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <div class="rows" ref={box}>
          <table
            // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a grid is a table whose rows the keys move through
            role="grid"
            tabIndex={0}
            aria-rowcount={total + 1}
            aria-busy={rows.total === undefined}
            aria-activedescendant={seen.includes(focused) && rows.at(focused) ? `${name}-${focused}` : undefined}
            onKeyDown={onKey}
          >
            <caption class="unseen">{caption}</caption>
            <thead>
              <tr aria-rowindex={1}>
                {selection && <th class="pick" scope="col" aria-label="selected" />}
                {chosen.map((column) => (
                  <Head key={column.name} column={column} order={order} setOrder={setOrder} />
                ))}
              </tr>
            </thead>
            <tbody ref={body}>
              {first > 0 && <Gap height={first * height} />}
              {seen.map((index) => {
                const row = rows.at(index);
                if (!row) return <Waiting key={index} index={index} width={chosen.length + (selection ? 1 : 0)} />;
                const id = idOf(row);
                return (
                  <tr
                    key={id}
                    id={`${name}-${index}`}
                    aria-rowindex={index + 2}
                    aria-selected={selection?.has(id)}
                    class={`${classOf(row)} ${index === focused ? 'focused' : ''}`}
                  >
                    {selection && (
                      <td class="pick">
                        <input
                          type="checkbox"
                          aria-label={`select ${nameOf(row)}`}
                          checked={selection.has(id)}
                          onChange={() => selection.toggle(id)}
                        />
                      </td>
                    )}
                    {chosen.map(({ name, title, cell, isNumber }) => (
                      <td key={name} data-title={title} class={isNumber ? 'number' : ''}>
                        {cell(row)}
                      </td>
                    ))}
                  </tr>
                );
              })}
              {last + 1 < total && <Gap height={(total - last - 1) * height} />}
            </tbody>
          </table>
        </div>
      )}
      <RowsSeen rows={rows} body={body} />
    </div>
  );
}

const PAGE = 15;

const steps: Record<string, (at: number, total: number) => number> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at) => at + PAGE,
  PageUp: (at) => at - PAGE,
  Home: () => 0,
  End: (_, total) => total - 1,
};

interface HeadProps<T> {
  column: Column<T>;
  order: string;
  setOrder: (order: string) => void;
}

/** Up, down, and as it was. */
function Head<T>({ column: { title, order: by, isNumber }, order, setOrder }: HeadProps<T>) {
  const sorted = by === undefined ? undefined : order === by ? 'ascending' : order === `-${by}` ? 'descending' : 'none';
  const next = { ascending: `-${by}`, descending: '', none: by ?? '' };
  return (
    <th scope="col" class={isNumber ? 'number' : ''} aria-sort={sorted}>
      {sorted === undefined ? (
        title
      ) : (
        <button type="button" class="plain" onClick={() => setOrder(next[sorted])}>
          {title}
        </button>
      )}
    </th>
  );
}

const Gap = ({ height }: { height: number }) => (
  <tr class="gap">
    <td style={{ height: `${height}px` }} />
  </tr>
);

const Waiting = ({ index, width }: { index: number; width: number }) => (
  <tr class="waiting" aria-rowindex={index + 2} aria-busy="true">
    <td colSpan={width}>…</td>
  </tr>
);

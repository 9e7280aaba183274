import { useEffect, useState } from 'preact/hooks';
import type { Rows } from '../api/use-rows.js';

interface Props {
  rows: Rows<unknown>;
  body: { current: HTMLElement | null };
  selected: number;
}

/** How many rows there are, and which of them are to be seen. Scrolling is not told to those who do not see it. */
export function RowCount({ rows: { total, isOpen }, body, selected }: Props) {
  const [first, last] = useSeen(body, total ?? 0);
  const more = selected > 0 ? `, ${selected} selected` : '';
  if (total === undefined || isOpen) {
    return (
      <span class="count" role="status">
        {total === undefined ? 'loading …' : `more than ${total - 1} rows${more}`}
      </span>
    );
  }
  const all = `${total} ${total === 1 ? 'row' : 'rows'}${more}`;
  if (first <= 1 && last >= total) {
    return (
      <span class="count" role="status">
        {all}
      </span>
    );
  }
  return (
    <span class="count">
      <span class="unseen" role="status">
        {all}
      </span>
      <span aria-hidden="true">
        rows {first}–{last} of {total}
        {more}
      </span>
    </span>
  );
}

/** Counted from 1, without those that are below the head of the table or below the window. */
function useSeen(body: Props['body'], total: number): readonly [first: number, last: number] {
  const [seen, setSeen] = useState<readonly [number, number]>([1, total]);
  useEffect(() => {
    const look = () => {
      const element = body.current;
      const row = element?.querySelector('tr:not(.gap)')?.getBoundingClientRect().height;
      if (!element || !row) return;
      const { top } = element.getBoundingClientRect();
      const head = element.parentElement?.querySelector('thead th')?.getBoundingClientRect().bottom ?? 0;
      const first = Math.min(total, Math.max(1, Math.floor((Math.max(head, 0) - top) / row + 0.5) + 1));
      const last = Math.min(total, Math.max(first, Math.floor((innerHeight - top) / row + 0.5)));
      setSeen((now) => (now[0] === first && now[1] === last ? now : [first, last]));
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  });
  return seen;
}

import { useLayoutEffect, useState } from 'preact/hooks';
import type { Rows } from '../api/use-rows.js';

interface CountProps {
  rows: Rows<unknown>;
  selected: number;
}

/** How many rows there are. */
export function RowCount({ rows: { total, isOpen }, selected }: CountProps) {
  const more = selected > 0 ? `, ${selected} selected` : '';
  return (
    <span class="count" role="status">
      {total === undefined ? 'loading …' : isOpen ? `more than ${total - 1} rows${more}` : `${rowsOf(total)}${more}`}
    </span>
  );
}

const rowsOf = (total: number) => `${total} ${total === 1 ? 'row' : 'rows'}`;

interface SeenProps {
  rows: Rows<unknown>;
  body: { current: HTMLElement | null };
}

/** Which of them are to be seen, at the end of the window. Scrolling is not told to those who do not see it. */
export function RowsSeen({ rows: { total = 0, isOpen = false }, body }: SeenProps) {
  const [first, last] = useSeen(body, total);
  if (isOpen || (first <= 1 && last >= total)) return null;
  return (
    <div class="rows-seen" aria-hidden="true">
      {first === last ? `row ${first}` : `rows ${first}–${last}`} of {total}
    </div>
  );
}

/** Counted from 1, without those that are below the head of the table or below the window. */
function useSeen(body: SeenProps['body'], total: number): readonly [first: number, last: number] {
  const [seen, setSeen] = useState<readonly [number, number]>([1, total]);
  useLayoutEffect(() => {
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

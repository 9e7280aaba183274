import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** Rows above and below what is seen. */
const AROUND = 12;
/** In pixels, while there is none to measure. */
const ROW = 44;

/** Which rows are to be seen: all are of one height, which the style says; on a phone by how many columns there are. */
export function useWindow(body: { current: HTMLElement | null }, total: number, columns: number) {
  const [seen, setSeen] = useState({ first: 0, last: 2 * AROUND, height: ROW });
  // Before it is painted: a list that has just come would be seen with its first row alone.
  useLayoutEffect(() => {
    const look = () => {
      const element = body.current;
      if (!element) return;
      const height = element.querySelector('tr:not(.gap)')?.getBoundingClientRect().height || ROW;
      const above = -element.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(above / height) - AROUND);
      const below = Math.ceil((above + innerHeight) / height) + AROUND;
      // Some stand there before anybody comes: what is above may shrink, and nobody scrolls then.
      const last = Math.min(Math.max(0, total - 1), Math.max(below, 2 * AROUND));
      setSeen((now) =>
        now.first === first && now.last === last && now.height === height ? now : { first, last, height },
      );
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [body, total, columns]);

  const toRow = (index: number) => {
    const element = body.current;
    if (!element) return;
    const top = element.getBoundingClientRect().top + index * seen.height;
    // On a phone a row may be as high as half of the window.
    const margin = Math.min(3 * seen.height, innerHeight / 3);
    if (top < margin) scrollBy(0, top - margin);
    else if (top > innerHeight - margin) scrollBy(0, top - innerHeight + margin);
  };
  return { ...seen, toRow };
}

/** Whether what is in the box does not fit into it: it is scrolled within then, and not the whole page. */
export function useIsWide(box: { current: HTMLElement | null }): boolean {
  const [isWide, setWide] = useState(false);
  useEffect(() => {
    const element = box.current;
    const inside = element?.firstElementChild;
    if (!element || !inside) return setWide(false);
    const observer = new ResizeObserver(() => setWide(inside.scrollWidth > element.clientWidth + 1));
    observer.observe(element);
    observer.observe(inside);
    return () => observer.disconnect();
  }, [box.current]);
  return isWide;
}

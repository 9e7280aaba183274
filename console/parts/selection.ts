import { useState } from 'preact/hooks';

/** Rows that something is going to be done to, by their ids. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly size: number;
  has(id: string): boolean;
  toggle(id: string): void;
  /** These, and no others. */
  choose(ids: Iterable<string>): void;
  clear(): void;
}

export function useSelection(): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  return {
    ids,
    size: ids.size,
    has: (id) => ids.has(id),
    toggle: (id) =>
      setIds((now) => {
        const next = new Set(now);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    choose: (next) => setIds(new Set(next)),
    clear: () => setIds(new Set()),
  };
}

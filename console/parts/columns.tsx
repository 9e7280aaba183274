import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { remember, remembered } from '../remember.js';
import { Menu } from './menu.js';

export interface Column<T> {
  name: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  /** What the server sorts by, where it can. */
  order?: string;
  /** It is there from the beginning; others are chosen. */
  shown?: boolean;
  /** Numbers, to be compared by eye. */
  isNumber?: boolean;
}

/** Which columns there are, as the person left them. */
export function useColumns<T>(table: string, all: readonly Column<T>[]) {
  const key = `columns:${table}`;
  const [names, setNames] = useState<readonly string[] | undefined>(() => remembered<string[]>(key));
  const isShown = ({ name, shown }: Column<T>) => names?.includes(name) ?? shown === true;
  const choose = (name: string) => {
    const now = all.filter(isShown).map((column) => column.name);
    const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
    if (next.length === 0) return;
    remember(key, next);
    setNames(next);
  };
  return { chosen: all.filter(isShown), choose };
}

interface Props<T> {
  all: readonly Column<T>[];
  chosen: readonly Column<T>[];
  choose: (name: string) => void;
}

export const Columns = <T,>({ all, chosen, choose }: Props<T>) => (
  <Menu label="Columns">
    {all.map((column) => (
      <label key={column.name} class="menu-check">
        <input type="checkbox" checked={chosen.includes(column)} onChange={() => choose(column.name)} />
        {column.title}
      </label>
    ))}
  </Menu>
);

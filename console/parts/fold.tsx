import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

interface Props {
  /** How many of what is in it are set: whoever does not see them is told. */
  set: number;
  children: ComponentChildren;
}

/** Filters, which stand side by side where there is room; on a phone they wait behind a button. */
export function Fold({ set, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <>
      <button type="button" class="fold" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
        {set === 0 ? 'Filters' : `Filters (${set})`}
      </button>
      <div id={id} class={isOpen ? 'folded open' : 'folded'}>
        {children}
      </div>
    </>
  );
}

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  label: ComponentChildren;
  /** For those who do not see it, where the label is a symbol. */
  title?: string;
  /** Of those that lead somewhere: what is looked at now is in it. */
  isCurrent?: boolean;
  children: ComponentChildren;
}

/** So far from the edge of the window it stays, in pixels. */
const EDGE = 8;

/** A button that opens a small box: it closes by Escape, by a click beside it, and when the focus goes elsewhere. */
export function Menu({ label, title, isCurrent, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();

  // Before it is painted: a key may follow at once.
  useLayoutEffect(() => {
    if (!isOpen) return;
    const close = (event: Event) => {
      if (!whole.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    addEventListener('pointerdown', close);
    addEventListener('focusin', close);
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('focusin', close);
      removeEventListener('keydown', onKey);
    };
  }, [isOpen]);

  // It ends where its button ends, which may be near the left edge.
  useLayoutEffect(() => {
    if (!box.current) return;
    const { left } = box.current.getBoundingClientRect();
    if (left < EDGE) box.current.style.translate = `${EDGE - left}px`;
    box.current.scrollIntoView({ block: 'nearest' });
  }, [isOpen]);

  const chosen = (event: Event) => {
    if (!(event.target as Element).closest('.menu-line:not([aria-disabled=true])')) return;
    setOpen(false);
    button.current?.focus();
  };

  return (
    <div class="menu" ref={whole}>
      <button
        type="button"
        ref={button}
        class={isCurrent ? 'current' : ''}
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={title}
        onClick={() => setOpen(!isOpen)}
      >
        {label}
      </button>
      {isOpen && (
        // biome-ignore lint/a11y/noStaticElementInteractions: the lines are buttons; what they have done closes it
        // biome-ignore lint/a11y/useKeyWithClickEvents: a button that is pressed by a key is clicked too
        <div class="menu-box" id={id} ref={box} onClick={chosen}>
          {children}
        </div>
      )}
    </div>
  );
}

export interface MenuAction {
  label: string;
  /** Why it is not possible now: it is greyed, and says so. */
  reason?: string | undefined;
  isGrave?: boolean;
  act(): void;
}

/** What can be done, as lines. What can not be done now is there all the same, with the reason. */
export const MenuActions = ({ actions }: { actions: readonly MenuAction[] }) => (
  <>
    {actions.map(({ label, reason, isGrave, act }) => (
      <button
        key={label}
        type="button"
        class={`menu-line ${isGrave ? 'grave' : ''}`}
        aria-disabled={reason !== undefined}
        onClick={() => reason === undefined && act()}
      >
        {label}
        {reason !== undefined && <small>{reason}</small>}
      </button>
    ))}
  </>
);

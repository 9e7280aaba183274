import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Toasts } from './toasts.js';

interface Props {
  title: string;
  close: () => void;
  children: ComponentChildren;
  /** Of which nobody gets rid by Escape: there is nothing to go on with. */
  isLasting?: boolean;
  /** Nothing of what is behind it is to be seen. */
  isAlone?: boolean;
}

const FIRST = ['input', 'select', 'textarea'].map((name) => `${name}:not([disabled], [type=hidden])`).join();

/** Over the page, which waits. The browser keeps the focus inside, and gives it back. */
export function Dialog({ title, close, children, isLasting = false, isAlone = false }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const before = useRef<Element | null>(null);
  // After the menu that it was chosen from has closed, and has the focus.
  useEffect(() => {
    before.current = document.activeElement;
    element.current?.showModal();
    // What is to be filled in comes before the way out, which stands first.
    element.current?.querySelector<HTMLElement>(FIRST)?.focus();
  }, []);
  // While it is still there: the focus of what is taken away is nowhere for a moment.
  useLayoutEffect(() => {
    const dialog = element.current!;
    return () => {
      dialog.close();
      if (before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);
  const onCancel = (event: Event) => {
    event.preventDefault();
    if (!isLasting) close();
  };
  // Chromium lets a dialog be kept open but so often: it is not to come to that.
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape' && !event.isComposing) onCancel(event);
  };
  // Where the key was pressed while nothing in it had the focus.
  const onClose = () => {
    if (!element.current) return;
    if (isLasting) element.current.showModal();
    else close();
  };
  return (
    // what is typed here is not for the table that it may stand in
    <dialog
      ref={element}
      class={isAlone ? 'alone' : ''}
      aria-labelledby={id}
      onCancel={onCancel}
      onClose={onClose}
      onKeyDown={onKey}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {!isLasting && (
          <button type="button" class="plain" aria-label="close" onClick={close}>
            ×
          </button>
        )}
      </header>
      {children}
      {/* outside of it nothing can be closed, and nothing is read out */}
      {!isAlone && <Toasts />}
    </dialog>
  );
}

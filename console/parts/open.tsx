import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.js';

interface Props {
  label: string;
  /** Which of several, for those who do not see what stands beside it. */
  of?: string;
  /** Of the dialog; whoever brings one of its own has none here. */
  title?: string;
  isMain?: boolean;
  isGrave?: boolean;
  /** Why it is not possible now. */
  reason?: string | undefined;
  children: (close: () => void) => ComponentChildren;
}

/** A button behind which a dialog waits. */
export function Opens({ label, of, title, isMain, isGrave, reason, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const inside = isOpen && children(close);
  return (
    <>
      <button
        type="button"
        class={isMain ? 'main' : isGrave ? 'grave' : ''}
        aria-disabled={reason !== undefined}
        aria-label={of && `${label.replace(/ …$/, '')} ${of} …`}
        title={reason}
        onClick={() => reason === undefined && setOpen(true)}
      >
        {label}
      </button>
      {isOpen &&
        (title === undefined ? (
          inside
        ) : (
          <Dialog title={title} close={close}>
            {inside}
          </Dialog>
        ))}
    </>
  );
}

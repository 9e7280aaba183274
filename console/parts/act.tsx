import { useState } from 'preact/hooks';
import { toast } from './toasts.js';

interface Props {
  label: string;
  /** To what it is done, for those who hear the buttons of many rows. */
  what?: string;
  /** Why it is not possible now: it is greyed, and says so to whoever points at it, presses it or hears it. */
  reason?: string | undefined;
  isMain?: boolean;
  act: () => unknown;
}

/** A button of a row or of a page. What goes wrong is said in a corner. */
export function Act({ label, what, reason, isMain = false, act }: Props) {
  const [isAtWork, setAtWork] = useState(false);
  const press = async () => {
    if (isAtWork) return;
    if (reason !== undefined) return toast(`${label}: ${reason}`, { isBad: true });
    setAtWork(true);
    try {
      await act();
    } catch (error) {
      toast((error as Error).message, { isBad: true });
    } finally {
      setAtWork(false);
    }
  };
  return (
    <button
      type="button"
      class={isMain ? 'main' : ''}
      aria-label={what && named(label, what)}
      title={reason}
      aria-disabled={reason !== undefined || isAtWork}
      onClick={press}
    >
      {isAtWork ? `${label} …` : label}
    </button>
  );
}

/** A label that ends in dots, as more is asked, ends in them here too. */
const named = (label: string, what: string) =>
  label.endsWith(' …') ? `${label.slice(0, -2)} ${what} …` : `${label} ${what}`;

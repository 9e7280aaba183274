import { useEffect, useRef, useState } from 'preact/hooks';
import { toast } from './toasts.js';

interface Props {
  text: string;
  /** What it is, for those who do not see it. */
  what: string;
}

/** Something to be taken elsewhere. */
export function Copy({ text, what }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const own = useRef<HTMLElement>(null);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (own.current) getSelection()?.selectAllChildren(own.current);
  }, [isShown]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${what} copied`);
    } catch {
      const codes = [...(button.current?.parentElement?.querySelectorAll('code') ?? [])];
      const shown = codes.find(({ textContent }) => textContent === text);
      if (shown) getSelection()?.selectAllChildren(shown);
      else setShown(true);
      // Never the text itself: it may be a secret, and this stays.
      toast(`the browser does not let us copy: ${what} is selected, copy it by keys`, { isBad: true });
    }
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="plain copy"
        aria-label={`copy ${what}`}
        title={`copy ${what}`}
        onClick={copy}
      >
        copy
      </button>
      {isShown && <code ref={own}>{text}</code>}
    </>
  );
}

/** A command as it is typed. */
export const Command = ({ line, what }: { line: string; what: string }) => (
  <div class="command">
    <code>{line}</code>
    <Copy text={line} what={what} />
  </div>
);

import { toast } from './toasts.js';

interface Props {
  text: string;
  /** What it is, for those who do not see it. */
  what: string;
}

/** Something to be taken elsewhere. */
export function Copy({ text, what }: Props) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${what} copied`);
    } catch {
      toast(`the browser does not let us copy: take it from here: ${text}`, { isBad: true });
    }
  };
  return (
    <button type="button" class="plain copy" aria-label={`copy ${what}`} title={`copy ${what}`} onClick={copy}>
      copy
    </button>
  );
}

/** A command as it is typed. */
export const Command = ({ line, what }: { line: string; what: string }) => (
  <div class="command">
    <code>{line}</code>
    <Copy text={line} what={what} />
  </div>
);

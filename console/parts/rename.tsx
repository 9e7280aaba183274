import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Refusal } from '../api/ask.js';
import { lookAgain } from '../api/live.js';
import { askOf, type ShownImage } from './image-ask.js';

/** A name that is changed where it stands: Enter saves, Escape brings back what it was. */
export function Rename({ image }: { image: ShownImage }) {
  const { alias, may, may_not: mayNot, deprecated } = image;
  const [typed, setTyped] = useState<string>();
  const [seen, setSeen] = useState(image);
  const [problem, setProblem] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const isTyping = typed !== undefined;
  const wasTyping = useRef(false);
  useLayoutEffect(() => {
    if (isTyping) input.current?.focus();
    // The keys go on from where they were.
    else if (wasTyping.current) button.current?.focus();
    wasTyping.current = isTyping;
  }, [isTyping]);
  const reason = deprecated?.reason && `deprecated: ${deprecated.reason}`;
  // Whoever has begun goes on to: the server tells whether it is possible.
  if (typed === undefined) {
    if (!may.includes('update')) return <bdi title={mayNot.update ?? reason}>{alias}</bdi>;
    const begin = () => {
      setSeen(image);
      setTyped(alias);
    };
    return (
      <button
        type="button"
        class="plain rename"
        title={reason ?? 'rename'}
        aria-label={`${alias}: rename`}
        ref={button}
        onClick={begin}
      >
        <bdi>{alias}</bdi>
      </button>
    );
  }
  const end = () => {
    setTyped(undefined);
    setProblem(undefined);
  };
  const save = async () => {
    if (typed === seen.alias && problem === undefined) return end();
    try {
      await askOf(seen, { method: 'PUT', body: { alias: typed } });
      end();
      lookAgain(['images']);
    } catch (error) {
      const { message, fields = {} } = error as Error & { fields?: Record<string, string> };
      const isOvertaken = error instanceof Refusal && error.status === 412;
      if (isOvertaken) setSeen({ ...seen, etag: error.tag });
      setProblem(isOvertaken ? `${message}. Enter saves yours all the same` : (fields.alias ?? message));
    }
  };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Enter') void save();
    else if (event.key === 'Escape') end();
  };
  return (
    <span class="rename">
      <input
        ref={input}
        aria-label={`new name of ${seen.alias}`}
        aria-invalid={problem !== undefined}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      {problem && (
        <small class="error" role="alert">
          {problem}
        </small>
      )}
    </span>
  );
}

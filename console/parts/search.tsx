import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  value: string;
  change: (value: string) => void;
  label: string;
}

/** In milliseconds: nobody is asked between two letters. */
const PAUSE = 200;

export function Search({ value, change, label }: Props) {
  const [typed, setTyped] = useState(value);
  // What comes back of what was told from here says nothing of what was typed since.
  const told = useRef(value);
  useLayoutEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setTyped(value);
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return;
    const timer = setTimeout(() => {
      told.current = typed;
      change(typed);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
    />
  );
}

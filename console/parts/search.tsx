import { useEffect, useState } from 'preact/hooks';

interface Props {
  value: string;
  change: (value: string) => void;
  label: string;
}

/** In milliseconds: nobody is asked between two letters. */
const PAUSE = 200;

export function Search({ value, change, label }: Props) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => change(typed), PAUSE);
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

import { useEffect, useState } from 'preact/hooks';

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

type Watcher = (toasts: readonly Toast[]) => void;

/** What is good is gone after so many milliseconds; what is bad stays until it is closed. */
const GONE = 6000;
const MOST = 4;

const watchers = new Set<Watcher>();
let toasts: readonly Toast[] = [];
let count = 0;

const set = (next: readonly Toast[]) => {
  toasts = next;
  for (const watcher of watchers) watcher(toasts);
};

const close = (id: number) => set(toasts.filter((toast) => toast.id !== id));

/** Says in a corner what has been done, or could not be. */
export function toast(text: string, { isBad = false } = {}): void {
  count += 1;
  const id = count;
  set([...toasts, { id, text, isBad }].slice(-MOST));
  if (!isBad) setTimeout(() => close(id), GONE);
}

export function Toasts() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    watchers.add(setShown);
    return () => void watchers.delete(setShown);
  }, []);
  return (
    <div class="toasts" role="log" aria-label="what has happened">
      {shown.map(({ id, text, isBad }) => (
        <p key={id} class={isBad ? 'bad' : ''}>
          {text}
          <button type="button" class="plain" aria-label="close" onClick={() => close(id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}

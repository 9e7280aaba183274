import { useLayoutEffect, useState } from 'preact/hooks';

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

type Watcher = (toasts: readonly Toast[]) => void;

/** What is good is gone after so many milliseconds; what is bad stays until it is closed. */
const GONE = 6000;
const MOST = 4;

/** Of the page, and of each dialog over it. */
const watchers = new Set<Watcher>();
let toasts: readonly Toast[] = [];
let count = 0;

const set = (next: readonly Toast[]) => {
  toasts = next;
  tell();
};

/** They are shown on top: what lies below a dialog can not be reached. */
function tell(): void {
  const all = [...watchers];
  for (const watcher of all) watcher(watcher === all.at(-1) ? toasts : []);
}

const close = (id: number) => set(toasts.filter((toast) => toast.id !== id));

/** Says in a corner what has been done, or could not be. */
export function toast(text: string, { isBad = false } = {}): void {
  count += 1;
  const id = count;
  set([...toasts, { id, text, isBad }].slice(-MOST));
  if (!isBad) setTimeout(() => close(id), GONE);
}

export function Toasts() {
  const [shown, setShown] = useState<readonly Toast[]>([]);
  useLayoutEffect(() => {
    watchers.add(setShown);
    tell();
    return () => {
      watchers.delete(setShown);
      tell();
    };
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

import { useLayoutEffect, useState } from 'preact/hooks';

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

interface Watcher {
  /** What came before is shown below. */
  after: number;
  show: (toasts: readonly Toast[]) => void;
}

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

/** Each on top of what was there when it came: what lies below a dialog can not be reached. */
function tell(): void {
  const all = [...watchers];
  const placeOf = ({ id }: Toast) => all.findLast(({ after }) => after < id);
  for (const watcher of all) watcher.show(toasts.filter((toast) => placeOf(toast) === watcher));
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
    const watcher = { after: watchers.size === 0 ? 0 : count, show: setShown };
    watchers.add(watcher);
    tell();
    return () => {
      watchers.delete(watcher);
      tell();
    };
  }, []);
  return (
    <div class="toasts" role="log" aria-label="what has happened">
      {shown.map(({ id, text, isBad }) => (
        <p key={id} class={isBad ? 'bad' : ''}>
          {text}
          <button type="button" class="plain" aria-label="dismiss" onClick={() => close(id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}

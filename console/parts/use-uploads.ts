import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { endUpload } from '../api/tus.js';
import { measured, type Pace, unmeasured } from './meter.js';
import { forgetUpload } from './upload-kept.js';
import { type Begun, isGone, type Order, runUpload, type Stage } from './upload-run.js';

export interface Upload {
  key: number;
  order: Order;
  stage: Stage;
  sent: number;
  pace: Pace;
  image?: string;
  failure?: Error;
}

export interface Uploads {
  all: readonly Upload[];
  isBusy: boolean;
  add(order: Order, begun?: Begun): void;
  pause(key: number): void;
  goOn(key: number): void;
  /** Ends it: nothing of it is left on the server, the image that was made for its file included. */
  cancel(key: number): Promise<void>;
  forget(key: number): void;
}

/** What is gone already need not be ended. */
export async function discard(id: string): Promise<void> {
  await endUpload(id).catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
  forgetUpload(id);
}

const ended: readonly Stage[] = ['done', 'failed', 'stopped'];
export const isUnderWay = ({ stage }: Upload) => !ended.includes(stage);

/** Files that are sent one after another, as long as the page is open. */
export function useUploads(): Uploads {
  const [all, setAll] = useState<readonly Upload[]>([]);
  const begun = useRef(new Map<number, Begun>());
  const current = useRef<{ key: number; abort: AbortController; run: Promise<void> } | undefined>(undefined);
  const count = useRef(0);
  const latest = useRef(all);
  latest.current = all;

  const patch = (key: number, change: (upload: Upload) => Partial<Upload>) =>
    setAll((now) => now.map((one) => (one.key === key ? { ...one, ...change(one) } : one)));

  useEffect(() => {
    if (current.current) return;
    const next = all.find(({ stage }) => stage === 'waiting');
    if (!next) return;
    const { key, order } = next;
    const abort = new AbortController();
    const stands = begun.current.get(key) ?? {};
    const course = {
      signal: abort.signal,
      stage: (stage: Stage) => patch(key, () => ({ stage })),
      sent: (bytes: number) => patch(key, ({ pace }) => ({ sent: bytes, pace: measured(pace, bytes, Date.now()) })),
    };
    const run = runUpload(order, stands, course)
      .then(
        (image) => patch(key, () => ({ stage: 'done', image })),
        (error: Error) =>
          patch(key, () => (abort.signal.aborted ? { stage: 'stopped' } : { stage: 'failed', failure: error })),
      )
      .finally(() => {
        current.current = undefined;
        // The next one has its turn.
        setAll((now) => [...now]);
      });
    current.current = { key, abort, run };
  }, [all]);
  useEffect(() => () => current.current?.abort.abort(), []);

  const stop = (key: number) => {
    if (current.current?.key === key) current.current.abort.abort();
    else patch(key, ({ stage }) => (stage === 'waiting' ? { stage: 'stopped' } : {}));
  };
  const forget = (key: number) => setAll((now) => now.filter((one) => one.key !== key));

  return {
    all,
    isBusy: all.some(isUnderWay),
    add: (order, from = {}) => {
      count.current += 1;
      const key = count.current;
      begun.current.set(key, { ...from });
      setAll((now) => [...now, { key, order, stage: 'waiting', sent: 0, pace: unmeasured }]);
    },
    pause: stop,
    goOn: (key) => patch(key, () => ({ stage: 'waiting', failure: undefined, pace: unmeasured }) as Partial<Upload>),
    cancel: async (key) => {
      const run = current.current?.key === key ? current.current.run : undefined;
      stop(key);
      // What is being made just now is known only when it is there.
      await run;
      const { id, image } = begun.current.get(key) ?? {};
      if (id !== undefined) await discard(id);
      const isThere = latest.current.find((one) => one.key === key)?.order.isThere;
      if (image !== undefined && !isThere) await ask(`/image/${part(image)}`, { method: 'DELETE', body: {} });
      forget(key);
    },
    forget,
  };
}

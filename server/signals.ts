const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The second is no second wish: npm passes on a Ctrl-C that the terminal has sent to everybody already. */
const SIGNALS_THAT_INSIST = 3;

/** Somebody has ended what was to be done before listening. It is no failure. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** The first signal closes. */
export function stopOnSignals(close: () => Promise<void>, grace: number): void {
  onSignal(() => {
    console.log(`\nStopping: running transfers get ${grace} s. Ctrl-C again, or twice, cuts them.`);
    close().catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
}

/** Work that the first signal cuts off. */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>, lastWords: string): Promise<T> {
  const stopping = new AbortController();
  const stopListening = onSignal(() => stopping.abort(new Interrupted(lastWords)));
  try {
    return await work(stopping.signal);
  } finally {
    stopListening();
  }
}

/** Calls back once; a signal that insists ends the process as if nobody listened. Returns the way to stop listening. */
function onSignal(first: () => void): () => void {
  let signals = 0;
  const stop = () => {
    for (const name of SIGNALS) process.off(name, take);
  };
  const take = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals === 1) first();
    if (signals < SIGNALS_THAT_INSIST) return;
    stop();
    process.kill(process.pid, signal);
  };
  for (const name of SIGNALS) process.on(name, take);
  return stop;
}

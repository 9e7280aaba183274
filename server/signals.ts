const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The second is no second wish: npm passes on a Ctrl-C that the terminal has sent to everybody already. */
const SIGNALS_THAT_INSIST = 3;

/** The first signal closes; one that insists ends the process as if nobody listened. */
export function stopOnSignals(close: () => Promise<void>, grace: number): void {
  let signals = 0;
  const stop = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals === 1) {
      console.log(`\nStopping: running transfers get ${grace} s. Ctrl-C again, or twice, cuts them.`);
      close().catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    } else if (signals === SIGNALS_THAT_INSIST) {
      for (const name of SIGNALS) process.off(name, stop);
      process.kill(process.pid, signal);
    }
  };
  for (const name of SIGNALS) process.on(name, stop);
}

export type Turn = <R>(work: () => Promise<R>) => Promise<R>;

/** So many at the same time; the others wait in line. */
export function atOnce(most: number): Turn {
  const waiting: (() => void)[] = [];
  let free = most;
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

export interface Pair<M> {
  ours: M;
  peer: M;
}

/** One side after the other, and the other first the next time; a first pair warms both up and does not count. */
export async function inPairs<M>(runs: number, ours: () => Promise<M>, peer: () => Promise<M>): Promise<Pair<M>[]> {
  const pairs: Pair<M>[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const first = run % 2 === 0 ? await ours() : await peer();
    const second = run % 2 === 0 ? await peer() : await ours();
    if (run > 0) pairs.push(run % 2 === 0 ? { ours: first, peer: second } : { ours: second, peer: first });
  }
  return pairs;
}

export async function repeatedly<M>(runs: number, measure: () => Promise<M>): Promise<M[]> {
  await measure();
  const measured: M[] = [];
  for (let run = 0; run < runs; run += 1) measured.push(await measure());
  return measured;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

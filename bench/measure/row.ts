import type { Row } from '../part.js';
import { median, type Pair } from './in-pairs.js';

interface Described<M> extends Pick<Row, 'what' | 'unit' | 'aim'> {
  of: (measured: M) => number;
}

/** A figure of both sides, beside each other. */
export function compared<M>(peer: string, pairs: Pair<M>[], { of, ...described }: Described<M>): Row {
  return {
    ...described,
    ours: median(pairs.map((pair) => of(pair.ours))),
    peer: { name: peer, value: median(pairs.map((pair) => of(pair.peer))) },
    ratio: median(pairs.map((pair) => of(pair.ours) / of(pair.peer))),
    runs: pairs.length,
  };
}

/** A figure of ours that nobody else has. */
export function alone<M>(measured: M[], { of, ...described }: Described<M>): Row {
  return { ...described, ours: median(measured.map(of)), runs: measured.length };
}

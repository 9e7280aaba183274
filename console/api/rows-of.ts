import type { Asked } from './use-asked.js';
import type { Rows } from './use-rows.js';

/** A list that comes as a whole, where a table wants rows. */
export const rowsOf = <T>({ answer, failure, refresh }: Asked<readonly T[]>): Rows<T> => ({
  total: answer?.result.length,
  at: (index) => answer?.result[index],
  show: nothing,
  failure,
  refresh,
});

const nothing = () => {};

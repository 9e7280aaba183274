import type { Logger } from 'pino';
import type { Catalog } from '../storage/catalog.js';

/** In milliseconds: what could not be begun is begun after so long. */
const AGAIN = 5000;

type Stop = () => Promise<void>;

/**
 * What goes on all the time, but on one daemon only: on the one that has been in for longest, and when that is gone or out
 * of touch, on the next. Returns the way to stop.
 */
export async function asFirst(catalog: Catalog, log: Logger, begin: () => Promise<Stop>): Promise<Stop> {
  const { members } = catalog;
  let stop: Stop | undefined;
  let isOver = false;
  let retrying: NodeJS.Timeout | undefined;
  const turn = async () => {
    const isOurs = !isOver && catalog.current() && members.isFirst();
    if (isOurs && !stop) stop = await begin();
    if (!isOurs && stop) {
      const ending = stop;
      stop = undefined;
      await ending();
    }
  };
  let turning = turn();
  const look = () => {
    clearTimeout(retrying);
    turning = turning.then(turn).catch((err: unknown) => {
      log.error({ err }, 'what this daemon does for all could not be begun or ended; it will be tried again');
      retrying = setTimeout(look, AGAIN).unref();
    });
    return turning;
  };
  const unfollow = members.follow(() => void look());
  try {
    await turning;
  } catch (error) {
    unfollow();
    throw error;
  }
  return async () => {
    isOver = true;
    unfollow();
    await look();
    clearTimeout(retrying);
  };
}

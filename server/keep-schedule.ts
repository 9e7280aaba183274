import type { Deps } from './deps.js';
import { letGoOfSnapshots } from './operations/let-go-of-snapshots.js';
import { pushSourcesDue } from './operations/push-sources.js';
import { refreshDue } from './operations/refresh-due.js';
import { refreshAnswering, refreshSilent } from './operations/refresh-nodes.js';
import { followDue } from './operations/run-follow.js';
import { takeSample } from './operations/take-sample.js';
import { whileFirst } from './while-first.js';

interface Schedule {
  /** Seconds between inventories of nodes; never where it is 0. */
  inventoryEvery: number;
}

const EVERY = 60;

/** What repositories, those who follow them and nodes are to do by themselves, once for all daemons; returns the way to stop. */
export function keepSchedule(deps: Deps, { inventoryEvery }: Schedule): () => Promise<void> {
  const { nodeBook, repositories } = deps;
  const kept = [
    keep(deps, EVERY, [refreshDue, followDue]),
    keep(deps, EVERY, [pushSourcesDue]),
    keep(deps, EVERY, [letGoOfSnapshots]),
    ...(inventoryEvery > 0 ? [refreshAnswering, refreshSilent].map((work) => keep(deps, inventoryEvery, [work])) : []),
  ];
  return async () => {
    repositories.stop();
    nodeBook.stop();
    await Promise.all(kept.map((stop) => stop()));
  };
}

/** How the server stands and what it has moved, written down once for all daemons; returns the way to stop. */
export const keepSampling = (deps: Deps): (() => Promise<void>) => keep(deps, EVERY, [takeSample]);

/** One work behind another, at once and every so many seconds; what takes longer is not begun twice. */
function keep(deps: Deps, every: number, works: readonly ((deps: Deps) => Promise<void>)[]): () => Promise<void> {
  let running: Promise<void> | undefined;
  let stopped = false;
  const attempt = async () => {
    for (const work of works) {
      if (stopped) return;
      await whileFirst(deps.catalog, work.name, () => work(deps)).catch((err: unknown) =>
        deps.log.error({ err }, 'what is scheduled failed; it will be tried again'),
      );
    }
  };
  const begin = () => {
    running ??= attempt().finally(() => {
      running = undefined;
    });
  };
  begin();
  const timer = setInterval(begin, every * 1000).unref();
  return async () => {
    stopped = true;
    clearInterval(timer);
    await running;
  };
}

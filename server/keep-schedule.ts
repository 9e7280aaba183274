import type { Deps } from './deps.js';
import { refreshDue } from './operations/refresh-due.js';
import { followDue } from './operations/run-follow.js';

const EVERY = 60 * 1000;

/** What repositories and those who follow them are to do by themselves; returns the way to stop. */
export function keepSchedule(deps: Deps): () => Promise<void> {
  const { log, repositories } = deps;
  const attempt = async () => {
    for (const work of [refreshDue, followDue]) {
      await work(deps).catch((err: unknown) => log.error({ err }, 'what is scheduled failed; it will be tried again'));
    }
  };
  let running = attempt();
  const timer = setInterval(() => {
    running = running.then(attempt);
  }, EVERY).unref();
  return async () => {
    clearInterval(timer);
    repositories.stop();
    await running;
  };
}

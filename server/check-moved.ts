import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Catalog } from '../storage/catalog.js';
import { MOVE, type Move, moves } from './model/move.js';
import { OperatorMistake } from './model/operator-mistake.js';

/** Tells people who look into DATA; what counts is the record. */
export const MOVED_TO = 'moved-to';

/** A server that has moved is started where it is now: what is written here would be lost. */
export async function checkMoved(
  catalog: Catalog,
  { data, abortMigration }: { data: string; abortMigration: boolean },
  log: Logger,
): Promise<void> {
  const move = await catalog.get(moves, MOVE);
  if (!move) return;
  if (move.state === 'left' && !abortMigration) {
    throw hasMoved(move);
  }
  await catalog.write(async (tx) => {
    if (await tx.get(moves, MOVE)) await tx.delete(moves, MOVE);
  });
  await rm(join(data, MOVED_TO), { force: true });
  if (move.state === 'left') log.warn({ to: move.to }, 'the server goes on here, and not where it had moved to');
}

export const hasMoved = ({ at, to }: Move) =>
  new OperatorMistake(
    `this server has moved, at ${at}: start it with --config ${to}; or with --abort-migration, to go on ` +
      'here with what it was then, and never there again',
  );

import type { Catalog } from '../storage/catalog.js';
import { canNot } from './migration-target.js';
import { MOVE, type Move, moves } from './model/move.js';

/**
 * Notes that the server moves, where nobody else is at work: what others write would be lost. Whoever is started between
 * the two marks takes the first away, and so is known of even when it is gone again.
 */
export function markMove(catalog: Catalog, move: Move): Promise<void> {
  return catalog.write(async (tx) => {
    checkAlone(catalog);
    const known = await tx.get(moves, MOVE);
    if (move.state === 'left' && known?.state !== 'leaving') throw canNot('another daemon was started here meanwhile');
    await (known ? tx.replace(moves, move) : tx.insert(moves, move));
  });
}

/** Inside a write nobody is missing. */
export function checkAlone({ members }: Catalog): void {
  const others = members.all().filter(({ id }) => id !== members.self.id);
  if (others.length === 0) return;
  throw canNot(`other daemons are at work here: stop ${others.map(({ name }) => name).join(', ')} first`);
}

import { ask, part } from '../api/ask.js';
import { lookAgain } from '../api/live.js';
import type { Results } from '../api/types.js';
import { nodeKinds } from './node-words.js';
import { toast } from './toasts.js';

/** Asks a node for all that is on it, now, and says what has come of it. */
export async function takeInventory(node: string): Promise<void> {
  const { result } = await ask<Results['TakeInventory']>(`/node/${part(node)}/inventory`, { method: 'PUT', body: {} });
  const { machines, came, went, images } = result;
  lookAgain(nodeKinds);
  toast(`${node}: ${counted(machines, 'machine')} (${came} came, ${went} went), ${counted(images, 'image')}`);
}

export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

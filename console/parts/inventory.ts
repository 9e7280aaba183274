import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { toast } from './toasts.js';

/** Asks a node for all that is on it, now, and says what has come of it. */
export async function takeInventory(node: string): Promise<void> {
  const { result } = await ask<Results['TakeInventory']>(`/node/${part(node)}/inventory`, { method: 'PUT', body: {} });
  const { machines, came, went, images } = result;
  toast(`${node}: ${machines} machines (${came} came, ${went} went), ${images} images`);
}

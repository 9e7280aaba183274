import { createHash, type Hash } from 'node:crypto';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

/** Each update is answered in its turn; the answer to the last one of a transfer carries the digests. */
export type Task =
  | { transfer: number; update: SharedArrayBuffer | undefined; length: number; last: boolean }
  | { transfer: number; drop: true };

export type Answer = Record<string, string> | undefined;

// Linux alone takes it for the thread and not for the process.
if (process.platform === 'linux') giveWay();

const algorithms: string[] = workerData;
const hashes = new Map<number, Hash[]>();

parentPort!.on('message', (task: Task) => {
  if ('drop' in task) hashes.delete(task.transfer);
  else parentPort!.postMessage(answer(task.transfer, bytesOf(task.update, task.length), task.last));
});

function answer(transfer: number, bytes: Uint8Array, last: boolean): Answer {
  const running = hashes.get(transfer) ?? algorithms.map((algorithm) => createHash(algorithm));
  for (const hash of running) hash.update(bytes);
  if (!last) {
    hashes.set(transfer, running);
    return undefined;
  }
  hashes.delete(transfer);
  return Object.fromEntries(running.map((hash, n) => [algorithms[n], hash.digest('hex')]));
}

function bytesOf(update: SharedArrayBuffer | undefined, length: number): Uint8Array {
  return update ? new Uint8Array(update, 0, length) : new Uint8Array();
}

/** Whoever uploads can wait for a processor, those who are being served should not. */
function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // not allowed to: then both have the same right to it
  }
}

import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

export interface Block {
  bytes: Uint8Array;
  length: number;
}

const algorithms: string[] = workerData;
const begun = () => algorithms.map((algorithm) => createHash(algorithm));
let hashes = begun();

parentPort!.on('message', (block: Block | undefined) => {
  if (block) {
    for (const hash of hashes) hash.update(block.bytes.subarray(0, block.length));
    parentPort!.postMessage([]);
  } else {
    parentPort!.postMessage(hashes.map((hash) => hash.digest('hex')));
    hashes = begun();
  }
});

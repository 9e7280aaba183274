import type { Command } from '../../server/hypervisors/host.js';
import { SshHost } from '../../server/hypervisors/ssh.js';
import { giveBack } from '../../storage/give-back.js';
import { GivenReadable } from '../../storage/lent-readable.js';
import { openBlobs } from '../../storage/open.js';
import { transfer } from '../../storage/transfer.js';
import { memoryOf, peakMemoryOf } from '../measure/process.js';
import { doJob } from './load.js';

export interface FromNodeJob {
  way: { port: number; user: string; hostKey: string; key: string };
  command: Command;
  /** Of the blobs. */
  directory: string;
  atOnce: number;
}

export interface FromNode {
  bytes: number;
  seconds: number;
  /** Of processor time. */
  cpu: number;
  /** MiB, at most. */
  peak: number;
  /** MiB, before anything is done. */
  idle: number;
}

/** What the daemon does with a snapshot, from the first word to the node until all is on the disk. */
doJob(async ({ way: { hostKey, key, ...way }, command, directory, atOnce }: FromNodeJob): Promise<FromNode> => {
  const blobs = await openBlobs({ kind: 'filesystem', directory });
  const { signal } = new AbortController();
  const idle = await memoryOf(process.pid);
  const before = process.cpuUsage();
  const begun = performance.now();
  const reached = { name: 'node', address: '127.0.0.1', ...way, hostKeys: [hostKey], keys: () => [key] };
  const host = new SshHost(reached, async () => {});
  const one = async () => {
    const staged = await blobs.stage();
    const { size } = await transfer(new GivenReadable(host.stream(command, { signal })), staged, { release: giveBack });
    return { key: staged.key, size };
  };
  const kept = await Promise.all(Array.from({ length: atOnce }, one));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const peak = await peakMemoryOf(process.pid);
  host.close();
  for (const { key: blob } of kept) await blobs.delete(blob);
  await blobs.close();
  return { bytes: kept.reduce((sum, { size }) => sum + size, 0), seconds, cpu: (user + system) / 1e6, peak, idle };
});

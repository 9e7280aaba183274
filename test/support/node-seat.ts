import ava, { type ExecutionContext } from 'ava';
import { isMet } from './needs.js';
import { test } from './seat.js';
import type { Sshd } from './sshd.js';

const lacking = (['sshd, to be talked to', 'zfs, to make a pool on a file'] as const).find((need) => !isMet[need]);

/** A test before the console of a server that has a real node: skipped where there can be none, and says so. */
export const nodeTest = (title: string, implementation: (t: ExecutionContext) => Promise<void>): void =>
  lacking === undefined ? test(title, implementation) : ava.skip(`${title} (${lacking})`, implementation);

/** The node goes away: nobody is let in any more, and then nobody is in, whoever came between. */
export async function goesAway({ stop, cut }: Sshd): Promise<void> {
  await stop();
  await cut();
}

/** What is told of a node that has just gone: its connection may not have been missed yet. */
export const GONE = /can not be reached|^the connection to \S+ was lost/;

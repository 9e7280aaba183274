import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench } from '../part.js';

/** One of the sides: a process of its own. */
export interface Server {
  name: string;
  port: number;
  /** Where it speaks TLS, if it does. */
  tlsPort: number | undefined;
  pid: number;
  stop(): Promise<void>;
}

interface Program {
  name: string;
  command: string;
  args: string[];
  /** Beside what the bench itself has. */
  env?: Record<string, string>;
}

/** What a program says on standard output when it listens, with one URL or two. */
const LISTENING = /listening on .*?http:[^ ]*:(\d+)(?: and https:[^ ]*:(\d+))?/;

/** Ready when it has said so; its log goes to a file, as that of a daemon does. Stopped with the part at the latest. */
export async function startServer({ directory, closing }: Bench, program: Program): Promise<Server> {
  const path = join(directory, `${program.name.replaceAll(/\W+/g, '-')}.log`);
  const log = await open(path, 'a');
  const child = spawn(program.command, program.args, {
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'pipe', log.fd],
  });
  await log.close();
  const stop = () => stopProcess(child);
  closing.add(child, stop);
  for await (const line of createInterface({ input: child.stdout! })) {
    const [, port, tlsPort] = LISTENING.exec(line) ?? [];
    if (port === undefined) continue;
    child.stdout!.resume();
    return {
      name: program.name,
      port: Number(port),
      tlsPort: tlsPort ? Number(tlsPort) : undefined,
      pid: child.pid!,
      stop,
    };
  }
  throw new Error(`${program.name} ended before it listened: ${(await readFile(path, 'utf8')).slice(-1000)}`);
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

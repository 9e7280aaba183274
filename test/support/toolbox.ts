import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratch } from './scratch.js';

/** Where the system keeps what a node runs. */
const SYSTEM = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Commands that a node has in front of those of this machine. */
export interface Toolbox {
  directory: string;
  /** The PATH with them. */
  path: string;
  /** A command of that name is this from now on, a script of `sh`. `"$real" "$@"` runs what was there at first. */
  put(name: string, script: string): Promise<void>;
  /** As if it were not installed. */
  lacks(name: string): Promise<void>;
  /** It is again what it was at first. */
  restore(name: string): Promise<void>;
}

/** `own` are commands that the node has instead of those of this machine, as scripts of `sh`. */
export async function toolbox(
  t: Pick<ExecutionContext, 'teardown'>,
  own: Readonly<Record<string, string>> = {},
): Promise<Toolbox> {
  const root = await scratch(t);
  const [base, directory] = [join(root, 'base'), join(root, 'bin')];
  const system = `${base}:${SYSTEM}`;
  await mkdir(base);
  await mkdir(directory);
  const write = async (into: string, name: string, script: string) => {
    const fresh = join(into, `.${name}`);
    await writeFile(fresh, `#!/bin/sh\n${script}\n`);
    await chmod(fresh, 0o755);
    await rename(fresh, join(into, name)); // one that runs goes on as it was
  };
  for (const [name, script] of Object.entries(own)) await write(base, name, script);
  const put = (name: string, script: string) =>
    write(directory, name, `real=$(PATH=${system} command -v ${name})\n${script}`);
  return {
    directory,
    path: `${directory}:${system}`,
    put,
    lacks: (name) => put(name, `echo "sh: ${name}: not found" >&2; exit 127`),
    restore: (name) => rm(join(directory, name), { force: true }),
  };
}

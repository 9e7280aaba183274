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
  /** A command of that name is this from now on, a script of `sh`. `"$real" "$@"` runs that of the machine. */
  put(name: string, script: string): Promise<void>;
  /** As if it were not installed. */
  lacks(name: string): Promise<void>;
  /** It is that of the machine again. */
  restore(name: string): Promise<void>;
}

export async function toolbox(t: Pick<ExecutionContext, 'teardown'>): Promise<Toolbox> {
  const directory = join(await scratch(t), 'bin');
  await mkdir(directory);
  const put = async (name: string, script: string) => {
    const fresh = join(directory, `.${name}`);
    await writeFile(fresh, `#!/bin/sh\nreal=$(PATH=${SYSTEM} command -v ${name})\n${script}\n`);
    await chmod(fresh, 0o755);
    await rename(fresh, join(directory, name)); // one that runs goes on as it was
  };
  return {
    directory,
    path: `${directory}:${SYSTEM}`,
    put,
    lacks: (name) => put(name, `echo "sh: ${name}: not found" >&2; exit 127`),
    restore: (name) => rm(join(directory, name), { force: true }),
  };
}

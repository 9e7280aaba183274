import { execFile } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where it was measured, in a line. */
export async function machine(): Promise<string> {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `${cpus().length} cores (${cpu?.model.trim()})`,
    `${memory} GiB of memory`,
    `${type()} ${release()}`,
    `Node ${process.version}`,
  ].join(', ');
}

/** What was measured: the commit, and whether more than that. */
export async function revision(): Promise<string> {
  try {
    const { stdout: commit } = await run('git', ['rev-parse', '--short', 'HEAD']);
    const { stdout: changes } = await run('git', ['status', '--porcelain', '--', ':!docs/performance.md']);
    return commit.trim() + (changes === '' ? '' : ' and changes that are not committed');
  } catch {
    return 'unknown'; // unpacked, without git
  }
}

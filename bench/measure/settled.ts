import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Nothing of what was measured before is still on its way to the disk. */
export async function settled(): Promise<void> {
  await run('sync');
}

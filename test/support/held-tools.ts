import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratch } from './scratch.js';
import type { SmartosNode } from './smartos.js';

/** The node removes no image until it is let, by what is given. */
export const holdsRemovals = (t: ExecutionContext, node: SmartosNode) => holds(t, node, 'delete', 'exec "$real" "$@"');

/** The node begins no import until it is let, and fails then with these words. */
export const failsImports = (t: ExecutionContext, node: SmartosNode, words: string) =>
  holds(t, node, 'import', `echo '${words}' >&2; exit 1`);

/** From now on `imgadm` waits before it does so; what is given lets all go on that have come, and is as it was then. */
async function holds(
  t: ExecutionContext,
  { tools, restore }: SmartosNode,
  command: string,
  then: string,
): Promise<() => Promise<void>> {
  const fifo = join(await scratch(t), 'fifo');
  spawnSync('mkfifo', [fifo]);
  await tools.put('imgadm', `case $1 in ${command}) cat '${fifo}' > /dev/null; ${then};; esac; exec "$real" "$@"`);
  return async () => {
    await restore('imgadm');
    await writeFile(fifo, '');
  };
}

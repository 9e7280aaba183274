import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratch } from './scratch.js';
import type { SmartosNode } from './smartos.js';

/** The node removes no image until it is let, by what is given. */
export const holdsRemovals = (t: ExecutionContext, node: SmartosNode) => holds(t, node, 'delete', 'exec "$real" "$@"');

/** The node begins no import until it is let, by what is given, and fails with these words until its tool is restored. */
export const failsImports = (t: ExecutionContext, node: SmartosNode, words: string) =>
  holds(t, node, 'import', `echo '${words}' >&2; exit 1`);

/** From now on `imgadm` waits before it does so, however early or late it is asked to. */
async function holds(
  t: ExecutionContext,
  { tools }: SmartosNode,
  command: string,
  then: string,
): Promise<() => Promise<void>> {
  const held = join(await scratch(t), 'held');
  await writeFile(held, '');
  const wait = `while [ -e '${held}' ]; do sleep 0.05; done`;
  await tools.put('imgadm', `case $1 in ${command}) ${wait}; ${then};; esac; exec "$real" "$@"`);
  return () => rm(held);
}

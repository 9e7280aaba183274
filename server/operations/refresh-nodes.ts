import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Node } from '../model/node.js';
import { refreshNode } from './refresh-node.js';

/** So many are asked side by side. */
const AT_ONCE = 8;

const isSilent = ({ nodeBook }: Deps, { name }: Node) => nodeBook.statusOf(name)?.online === false;

/** Those that answer have their own turn: none of them waits for one that says nothing until its time is over. */
export const refreshAnswering = (deps: Deps): Promise<void> => refresh(deps, (node) => !isSilent(deps, node));

export const refreshSilent = (deps: Deps): Promise<void> => refresh(deps, (node) => isSilent(deps, node));

async function refresh(deps: Deps, isMeant: (node: Node) => boolean): Promise<void> {
  const left = [...deps.directory.nodes.values()].filter((node) => node.connection && isMeant(node));
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) await attempt(deps, next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Whatever becomes of it harms none of the others. That a node is silent was told when it became so. */
async function attempt(deps: Deps, node: Node): Promise<void> {
  try {
    await refreshNode(deps, node);
  } catch (err) {
    if (err instanceof ImgapiError && quiet.has(err.code)) return;
    deps.log.warn({ err, node: node.name }, 'the inventory of a node could not be taken; it will be tried again');
  }
}

const quiet: ReadonlySet<string> = new Set(['NodeDown', 'Busy', 'ServiceUnavailableError']);

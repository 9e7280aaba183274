import type { Deps } from '../deps.js';
import { keepsSources, type Node } from '../model/node.js';
import { areSame, nodeSources, type SourceState } from '../model/node-source.js';
import { plainly } from './push-sources.js';

type Reading = Pick<Deps, 'catalog' | 'directory' | 'policy'>;

/** Of all nodes that are talked to. */
export async function listSources(deps: Reading) {
  const managed = [...deps.directory.nodes.values()].filter(({ connection }) => connection !== undefined);
  return Promise.all(managed.map((node) => sourcesOf(deps, node)));
}

export async function sourcesOf(deps: Reading, node: Node) {
  const known = await deps.catalog.get(nodeSources, node.name);
  const wanted = plainly(deps, node);
  const { since = null, there = null, before = null, checked = null, error = null } = known ?? {};
  const isStill = known !== undefined && (known.state !== 'ok' || areSame(known.wanted, wanted));
  const kept: SourceState = isStill ? known.state : 'differs';
  return {
    node: node.name,
    state: keepsSources(node) ? kept : ('off' as const),
    since: isStill ? since : null,
    wanted: keepsSources(node) ? wanted : [],
    there,
    before,
    checked,
    error,
  };
}

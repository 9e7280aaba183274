import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { Badge } from './badge.js';
import type { Image } from './use-image.js';

/** So many nodes are told at once. */
const FIRST = 20;

const tones: Record<Image['nodes'][number]['state'], string> = { ready: 'good', importing: 'warn', deleting: 'warn' };

/** The data centers that have it, and the nodes on which it lies. */
export function Places({ image: { dcs, global, nodes } }: { image: Image }) {
  const { super_admin: isSuper } = useAccount();
  return (
    <section class="box">
      <h2>Where it is</h2>
      {global && <p>It is attached to all data centers.</p>}
      {!global && dcs.length === 0 && <p>It is attached to no data center.</p>}
      {dcs.length > 0 && (
        <ul class="flat" aria-label="data centers">
          {dcs.map((dc) => (
            <li key={dc}>
              <Link to={`/datacenters/${part(dc)}`}>{dc}</Link>
            </li>
          ))}
        </ul>
      )}
      {isSuper && <Nodes nodes={nodes} />}
    </section>
  );
}

function Nodes({ nodes }: Pick<Image, 'nodes'>) {
  const [isWhole, setWhole] = useState(false);
  if (nodes.length === 0) return <p class="quiet">It is on no node.</p>;
  const shown = isWhole ? nodes : nodes.slice(0, FIRST);
  return (
    <>
      <h3>On {nodes.length === 1 ? 'one node' : `${nodes.length} pools of nodes`}</h3>
      <ul class="flat" aria-label="nodes">
        {shown.map(({ node, pool, state }) => (
          <li key={`${node}/${pool}`}>
            <Link to={`/nodes/${part(node)}`}>{node}</Link> <span class="quiet">{pool}</span>{' '}
            <Badge text={state} tone={tones[state]} />
          </li>
        ))}
      </ul>
      {shown.length < nodes.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {nodes.length}
        </button>
      )}
    </>
  );
}

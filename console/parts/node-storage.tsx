import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { useQuery } from '../router.js';
import { Act } from './act.js';
import type { Tasks } from './begun.js';
import { Confirm } from './confirm.js';
import { Failure } from './failure.js';
import { NodeImages } from './node-images.js';
import type { Node } from './node-words.js';
import { PoolBar } from './pool-bar.js';
import { PullImage } from './pull-image.js';
import { Tabs } from './tabs.js';

export interface Pool {
  name: string;
  size: number | null;
  free: number | null;
  health: string | null;
  images: number;
  vms: number;
}

/** The pools of a node, and the images on the one that is chosen. */
export function NodeStorage({ node, tasks }: { node: Node; tasks: Tasks }) {
  const path = `/node/${part(node.name)}/storage`;
  const { answer, failure, refresh } = useAsked<Pool[]>(path, {
    query: { full: true },
    kinds: ['node-images', 'node-statuses', 'nodes', 'vms'],
  });
  const [chosen] = useQuery('pool');
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const pools = answer.result;
  const pool = pools.find(({ name }) => name === chosen) ?? pools[0];
  if (!pool) return <p>The node has told of no pool yet: take its inventory.</p>;
  return (
    <>
      <Tabs
        label={`pools of ${node.name}`}
        tabs={pools.map(({ name, images }) => ({ name, title: name, count: images }))}
        current={pool.name}
        to={(name) => `/nodes/${part(node.name)}?tab=images&pool=${part(name)}`}
      />
      <Head node={node} pool={pool} tasks={tasks} />
      <NodeImages key={pool.name} node={node} pool={pool.name} tasks={tasks} />
    </>
  );
}

interface HeadProps {
  node: Node;
  pool: Pool;
  tasks: Tasks;
}

function Head({ node: { name: node, connection }, pool, tasks }: HeadProps) {
  const [open, setOpen] = useState<'pull' | 'clean'>();
  const close = () => setOpen(undefined);
  const { name, vms } = pool;
  const path = `/node/${part(node)}/storage/${part(name)}/image`;
  const unreached = connection ? undefined : 'nobody has said how the node is reached';
  const clean = async () => {
    const { task } = await ask(path, { method: 'DELETE', body: {} });
    tasks.add(task, `Remove unused images from ${name}`);
  };
  return (
    <div class="heads">
      <p class="grow">
        <PoolBar pool={pool} /> <span class="quiet">{vms === 1 ? '1 machine' : `${vms} machines`}</span>
      </p>
      <Act label="Pull an image …" isMain reason={unreached} act={() => setOpen('pull')} />
      <Act
        label="Remove unused images …"
        reason={unreached ?? (pool.images === 0 ? 'there is none' : undefined)}
        act={() => setOpen('clean')}
      />
      {open === 'pull' && <PullImage node={node} pool={name} tasks={tasks} close={close} />}
      {open === 'clean' && (
        <Confirm title={`Remove unused images from pool ${name} of ${node}`} label="Remove" act={clean} close={close}>
          <p>
            Every image on it goes that no machine there uses and no other image there builds on. They stay on this
            server, and can be pulled again.
          </p>
        </Confirm>
      )}
    </div>
  );
}

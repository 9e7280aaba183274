import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { type Asked, useAsked } from '../api/use-asked.js';
import type { PageProps } from '../pages.js';
import { Act } from '../parts/act.js';
import { Begun, type Tasks, useBegun } from '../parts/begun.js';
import { Confirm } from '../parts/confirm.js';
import { Failure } from '../parts/failure.js';
import { counted, takeInventory } from '../parts/inventory.js';
import { NodeAbout } from '../parts/node-about.js';
import { ChangeNode } from '../parts/node-form.js';
import { NodeHealth } from '../parts/node-health.js';
import { NodeMachines } from '../parts/node-machines.js';
import { NodeSources } from '../parts/node-sources.js';
import { NodeStorage } from '../parts/node-storage.js';
import { NodeTokens } from '../parts/node-tokens.js';
import { type Node, NodeState, nodeKinds } from '../parts/node-words.js';
import { type Tab, Tabs } from '../parts/tabs.js';
import { toast } from '../parts/toasts.js';
import { go, useQuery } from '../router.js';

const contents: Record<string, ComponentType<{ node: Node; tasks: Tasks }>> = {
  about: NodeAbout,
  health: NodeHealth,
  images: NodeStorage,
  machines: NodeMachines,
  sources: NodeSources,
  tokens: NodeTokens,
};

const tabsOf = ({ images, machines }: Node): readonly Tab[] => [
  { name: 'about', title: 'Overview' },
  { name: 'health', title: 'Health' },
  { name: 'images', title: 'Images', count: images },
  { name: 'machines', title: 'Machines', count: machines },
  { name: 'sources', title: 'Image servers' },
  { name: 'tokens', title: 'Tokens' },
];

export default function NodePage({ params: { name = '' } }: PageProps) {
  const path = `/node/${part(name)}`;
  const asked = useAsked<Node>(path, { kinds: nodeKinds });
  const [chosen] = useQuery('tab');
  const tasks = useBegun();
  const { answer, failure, refresh } = asked;
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const current = Object.hasOwn(contents, chosen) ? chosen : 'about';
  const Content = contents[current]!;
  const node = answer.result;
  return (
    <section>
      <Head node={node} asked={asked} />
      <Begun tasks={tasks} />
      <Tabs
        label={`of node ${name}`}
        tabs={tabsOf(node)}
        current={current}
        to={(tab) => `/nodes/${part(name)}?tab=${tab}`}
      />
      <Content key={current} node={node} tasks={tasks} />
    </section>
  );
}

interface HeadProps {
  node: Node;
  asked: Asked<Node>;
}

function Head({ node, asked: { answer, refresh } }: HeadProps) {
  const [open, setOpen] = useState<'change' | 'delete'>();
  const close = () => setOpen(undefined);
  const { name } = node;
  const remove = async () => {
    await ask(`/node/${part(name)}`, { method: 'DELETE', ifMatch: answer?.tag });
    toast(`node ${name} is not known any more`);
    go('/nodes');
  };
  return (
    <div class="heads">
      <h1>{name}</h1>
      <p class="grow">
        <NodeState node={node} />
      </p>
      <Act
        label="Take inventory"
        reason={node.connection ? undefined : 'nobody has said how it is reached'}
        act={() => takeInventory(name).finally(refresh)}
      />
      <button type="button" onClick={() => setOpen('change')}>
        Change …
      </button>
      <button type="button" onClick={() => setOpen('delete')}>
        Delete …
      </button>
      {open === 'change' && <ChangeNode node={node} tag={answer?.tag} again={refresh} close={close} />}
      {open === 'delete' && (
        <Confirm title={`Delete node ${name}`} label="Delete" act={remove} close={close}>
          <p>
            This server forgets it, its tokens, and {counted(node.machines, 'machine')} and{' '}
            {counted(node.images, 'image')} that were found on it. What is on the node stays there.
          </p>
        </Confirm>
      )}
    </div>
  );
}

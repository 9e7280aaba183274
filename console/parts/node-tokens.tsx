import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { useQuery } from '../router.js';
import { Badge } from './badge.js';
import { Confirm } from './confirm.js';
import { NodeTokenMake } from './node-token-make.js';
import type { Node } from './node-words.js';
import { Opens } from './open.js';
import { type Column, Table } from './table.js';
import { toast } from './toasts.js';
import { Time } from './words.js';

type Token = Omit<Results['CreateNodeToken'], 'token' | 'path' | 'source'>;

const columns: readonly Column<Token>[] = [
  { name: 'name', title: 'Name', shown: true, order: 'name', cell: ({ name }) => name },
  {
    name: 'expires',
    title: 'Good until',
    shown: true,
    cell: ({ expires, expired }) =>
      expired ? <Badge text="expired" tone="bad" /> : expires === undefined ? 'for ever' : <Time at={expires} />,
  },
  {
    name: 'pinned',
    title: 'From',
    shown: true,
    cell: ({ pinned }) => (pinned ? 'the addresses of the node' : 'anywhere'),
  },
  {
    name: 'publish',
    title: 'Brings images to',
    shown: true,
    cell: ({ publish }) => publish ?? <i>nowhere: it reads</i>,
  },
  {
    name: 'last_used',
    title: 'Used',
    shown: true,
    order: 'last_used',
    cell: ({ last_used: at }) => <Time at={at} />,
  },
  { name: 'created', title: 'Made', shown: true, order: 'created', cell: ({ created }) => <Time at={created} /> },
];

/** What proves the node where neither its address nor a certificate does. */
export function NodeTokens({ node }: { node: Node }) {
  const path = `/node/${part(node.name)}/token`;
  const [sort] = useQuery('sort');
  const rows = useRows<Token>(path, { query: { order_by: sort || 'name' }, kinds: ['node-tokens'] });
  const last: Column<Token> = {
    name: 'revoke',
    title: 'Revoke',
    shown: true,
    cell: ({ name }) => <Revoke name={name} node={node.name} path={path} done={rows.refresh} />,
  };
  return (
    <Table
      name="node-tokens"
      caption={`Tokens of ${node.name}`}
      rows={rows}
      columns={[...columns, last]}
      idOf={({ name }) => name}
      empty="It has none."
      tools={
        <Opens label="Make a token …" isMain>
          {(close) => <NodeTokenMake node={node} path={path} close={close} done={rows.refresh} />}
        </Opens>
      }
    />
  );
}

interface RevokeProps {
  name: string;
  node: string;
  path: string;
  done: () => void;
}

const Revoke = ({ name, node, path, done }: RevokeProps) => (
  <Opens label="Revoke …" of={name}>
    {(close) => (
      <Confirm
        title={`Revoke the token ${name} of ${node}?`}
        label="Revoke"
        act={async () => {
          await ask(`${path}/${part(name)}`, { method: 'DELETE', body: {} });
          toast(`token ${name} is revoked`);
          done();
        }}
        close={close}
      >
        <p>From the next request on, nobody gets in with it.</p>
      </Confirm>
    )}
  </Opens>
);

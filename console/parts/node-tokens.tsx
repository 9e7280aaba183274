import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { useQuery } from '../router.js';
import { Act } from './act.js';
import { Badge } from './badge.js';
import { Confirm } from './confirm.js';
import { Command } from './copy.js';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';
import { nameIn } from './make.js';
import type { Node } from './node-words.js';
import { type Column, Table } from './table.js';
import { toast } from './toasts.js';
import { Time } from './words.js';

type Made = Results['CreateNodeToken'];
type Token = Omit<Made, 'token' | 'path' | 'source'>;

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
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<Made>();
  const [doomed, setDoomed] = useState<Token>();
  const revoke = async ({ name }: Token) => {
    await ask(`${path}/${part(name)}`, { method: 'DELETE', body: {} });
    toast(`token ${name} is revoked`);
    rows.refresh();
  };
  const last: Column<Token> = {
    name: 'revoke',
    title: 'Revoke',
    shown: true,
    cell: (token) => <Act label="Revoke" what={token.name} act={() => setDoomed(token)} />,
  };
  return (
    <>
      <Table
        name="node-tokens"
        caption={`Tokens of ${node.name}`}
        rows={rows}
        columns={[...columns, last]}
        idOf={({ name }) => name}
        empty="It has none."
        tools={
          <button type="button" class="main" onClick={() => setMaking(true)}>
            Make a token
          </button>
        }
      />
      {isMaking && (
        <Make
          node={node}
          close={() => setMaking(false)}
          done={(token) => {
            setMaking(false);
            setMade(token);
            rows.refresh();
          }}
        />
      )}
      {made && <Shown made={made} close={() => setMade(undefined)} />}
      {doomed && (
        <Confirm
          title={`Revoke token ${doomed.name} of ${node.name}`}
          label="Revoke"
          act={() => revoke(doomed)}
          close={() => setDoomed(undefined)}
        >
          <p>From the next request on, nobody gets in with it.</p>
        </Confirm>
      )}
    </>
  );
}

interface Wish {
  name: string;
  expires: string;
  publish: string;
  pinned: boolean;
}

const initial: Wish = { name: '', expires: '', publish: '', pinned: true };

const fieldsOf = ({ dcs, addresses }: Node): readonly Field<Wish>[] => [
  { name: 'name', label: 'Name', isRequired: true },
  { name: 'expires', label: 'Good until', hint: 'a date, or a duration such as 90d; for ever where it is empty' },
  {
    name: 'publish',
    label: 'Brings images to',
    kind: 'choice',
    choices: [['', 'nowhere: it reads'], ...dcs.map((name) => [name, name] as const)],
  },
  {
    name: 'pinned',
    label: 'Good from the addresses of the node only',
    kind: 'check',
    hint: addresses.join(', ') || 'it has no addresses: good from anywhere',
  },
];

function Make({ node, close, done }: { node: Node; close: () => void; done: (made: Made) => void }) {
  const submit = async (wish: Wish) => {
    const { expires, publish, pinned } = wish;
    const body = { pinned, ...(expires !== '' && { expires }), ...(publish !== '' && { publish }) };
    const path = `/node/${part(node.name)}/token/${part(nameIn(wish, 'name'))}`;
    done((await ask<Made>(path, { method: 'POST', body })).result);
  };
  return (
    <Dialog title={`Make a token for ${node.name}`} close={close}>
      <Form
        name={`node-token:${node.name}`}
        fields={fieldsOf(node)}
        initial={initial}
        submit={submit}
        label="Make it"
        cancel={close}
      />
    </Dialog>
  );
}

/** The one time that it is to be seen. */
function Shown({ made: { name, node, token, path, source }, close }: { made: Made; close: () => void }) {
  const url = source ?? location.origin + path;
  return (
    <Dialog title={`Token ${name} of ${node}`} close={close} isLasting>
      <p>
        <strong>Take it now: it is not shown again.</strong>
      </p>
      <p>On the node, for imgadm:</p>
      <Command line={`imgadm sources -a ${url}`} what="the command for imgadm" />
      {source === null && (
        <p class="hint">
          publicUrl is not set on the server: this is where your browser reaches it. Does the node, too?
        </p>
      )}
      <p>The token by itself:</p>
      <Command line={token} what="the token" />
      <footer>
        <button type="button" class="main" onClick={close}>
          I have it
        </button>
      </footer>
    </Dialog>
  );
}

import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { go } from '../router.js';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';
import { nameIn } from './make.js';
import { bodyOf, type NodeWish, newNode, wishOf } from './node-wish.js';
import { toast } from './toasts.js';

interface Choices {
  dcs: readonly string[];
  nodes: readonly string[];
  secrets: readonly string[];
}

const reached = ({ address }: NodeWish) => address.trim() !== '';
const choicesOf = (names: readonly string[], none: string) =>
  [['', none], ...names.map((name) => [name, name] as const)] as const;

const fieldsOf = ({ dcs, nodes, secrets }: Choices): readonly Field<NodeWish>[] => [
  {
    name: 'dcs',
    label: 'Data centers',
    kind: 'checks',
    choices: dcs.map((name) => [name, name]),
    hint: 'whose images it may have',
  },
  {
    name: 'address',
    label: 'Address',
    hint: 'host name or address by which this server reaches it by ssh; empty: nothing is asked of it',
  },
  { name: 'port', label: 'Port', kind: 'number', when: reached },
  { name: 'user', label: 'User', hint: 'as whom it is asked', when: reached },
  {
    name: 'host_keys',
    label: 'Host keys',
    kind: 'area',
    hint:
      'one a line, such as "ssh-ed25519 AAAA…". Only these are believed. Where there are none, the first that is met is ' +
      'kept and stands here from then on: a machine that shows another one later is not talked to. After it was ' +
      'installed anew, remove its old key here.',
    when: reached,
  },
  {
    name: 'platform',
    label: 'Platform',
    kind: 'choice',
    choices: choicesOf(['smartos', 'linux-zfs', 'qemu', 'lvm-thin', 'btrfs'], 'found out'),
    when: reached,
  },
  {
    name: 'places',
    label: 'Places',
    kind: 'words',
    hint: 'where its machines lie, on platforms without a list of them: datasets, directories, volume groups; commas between',
    when: reached,
  },
  {
    name: 'jump',
    label: 'Reached through',
    kind: 'choice',
    choices: choicesOf(nodes, 'nobody: directly'),
    when: reached,
    isAdvanced: true,
  },
  {
    name: 'key',
    label: 'Key',
    kind: 'choice',
    choices: choicesOf(secrets, 'the key of this server'),
    hint: 'a secret of type ssh-key',
    when: reached,
    isAdvanced: true,
  },
  { name: 'agent', label: 'Keys of the ssh-agent count too', kind: 'check', when: reached, isAdvanced: true },
  {
    name: 'keep_sources',
    label: 'Keep its list of image servers to what is configured',
    kind: 'check',
    isAdvanced: true,
  },
  {
    name: 'addresses',
    label: 'Asks from',
    kind: 'words',
    hint: 'addresses and networks such as 10.0.0.0/24, commas between; its tokens are good from there',
    isAdvanced: true,
  },
  { name: 'known_by_address', label: 'Asking from there is enough to prove it', kind: 'check', isAdvanced: true },
  {
    name: 'certificate',
    label: 'Client certificate',
    hint: 'its SHA-256 fingerprint: 64 hex digits',
    isAdvanced: true,
  },
  {
    name: 'vm_rules',
    label: 'Data centers of its machines',
    kind: 'words',
    hint: 'for machines without one: owner:ann=north, tag:web=south; the first that fits',
    isAdvanced: true,
  },
];

const nameField: Field<NodeWish> = { name: 'host', label: 'Name', isRequired: true, hint: 'its host name' };

function useFields(own?: string): readonly Field<NodeWish>[] {
  const dcs = useAsked<string[]>('/dc').answer?.result ?? [];
  const nodes = useAsked<string[]>('/node').answer?.result ?? [];
  const all = useAsked<{ name: string; type: string }[]>('/secret', { query: { full: true } }).answer?.result ?? [];
  const secrets = all.filter(({ type }) => type === 'ssh-key').map(({ name }) => name);
  return fieldsOf({ dcs, nodes: nodes.filter((name) => name !== own), secrets });
}

export function AddNode({ close }: { close: () => void }) {
  const fields = useFields();
  const submit = async (wish: NodeWish, typed: Partial<NodeWish>) => {
    const name = nameIn(wish, 'host');
    await ask(`/node/${part(name)}`, { method: 'POST', body: bodyOf(typed) });
    close();
    toast(`node ${name} is known now`);
    go(`/nodes/${part(name)}?tab=health`);
  };
  return (
    <Dialog title="Add a node" close={close}>
      <Form
        name="node-new"
        fields={[nameField, ...fields]}
        initial={newNode}
        submit={submit}
        label="Add it"
        cancel={close}
      />
    </Dialog>
  );
}

interface ChangeProps {
  node: Results['GetNode'];
  tag: string | undefined;
  again: () => void;
  close: () => void;
}

export function ChangeNode({ node, tag, again, close }: ChangeProps) {
  const fields = useFields(node.name);
  const submit = async (_: NodeWish, typed: Partial<NodeWish>) => {
    await ask(`/node/${part(node.name)}`, { method: 'PUT', body: bodyOf(typed), ifMatch: tag });
    close();
    toast(`node ${node.name} is changed`);
    again();
  };
  return (
    <Dialog title={`Change node ${node.name}`} close={close}>
      <Form
        name={`node:${node.name}`}
        fields={fields}
        initial={wishOf(node)}
        submit={submit}
        again={again}
        label="Save"
        cancel={close}
      />
    </Dialog>
  );
}

import { useState } from 'preact/hooks';
import type { Results } from '../api/types.js';
import { Command } from './copy.js';
import { Dialog } from './dialog.js';
import type { Field } from './form.js';
import { filled, Make } from './make.js';
import type { Node } from './node-words.js';
import { Once } from './once.js';

type Made = Results['CreateNodeToken'];

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

interface Props {
  node: Node;
  /** Where its tokens are. */
  path: string;
  close: () => void;
  done: () => void;
}

/** A new token of a node: it is shown this once. */
export function NodeTokenMake({ node, path, close, done }: Props) {
  const [made, setMade] = useState<Made>();
  if (made) return <Shown made={made} close={close} />;
  return (
    <Dialog title={`Make a token for ${node.name}`} close={close}>
      <Make<Wish, Made>
        name={`node-token:${node.name}`}
        called="name"
        path={path}
        fields={fieldsOf(node)}
        initial={initial}
        body={(wish) => ({ ...filled(wish), pinned: wish.pinned })}
        done={({ result }) => {
          setMade(result);
          done();
        }}
        cancel={close}
      />
    </Dialog>
  );
}

const Shown = ({ made: { name, node, token, path, source }, close }: { made: Made; close: () => void }) => (
  <Once
    title={`The token ${name} of ${node}`}
    secret={token}
    words="It proves the node, by itself or in the URL of an image server."
    close={close}
  >
    <p>On the node, for imgadm:</p>
    <Command line={`imgadm sources -a ${source ?? location.origin + path}`} what="the command for imgadm" />
    {source === null && (
      <p class="hint">publicUrl is not set on the server: this is where your browser reaches it. Does the node, too?</p>
    )}
  </Once>
);

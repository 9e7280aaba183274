import { useState } from 'preact/hooks';
import { ask, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAccount } from '../session.js';
import { useDatacenterNames, useUserNames } from './datacenter-form.js';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';
import { filled } from './make.js';
import { Once } from './once.js';

interface Wish {
  name: string;
  user: string;
  scope: string;
  dc: string;
  expires: string;
}

/** What each scope is good for, beside what its user may do. */
export const scopes: readonly (readonly [scope: string, words: string])[] = [
  ['admin', 'all that its user may do'],
  ['write', 'images, as its user may; no users or settings'],
  ['read', 'read only'],
  ['metrics', 'the metrics only'],
];

interface Props {
  /** Whose it will be; the caller's own unless said. */
  user?: string;
  close: () => void;
  done: () => void;
}

/** A new token: its secret is shown this once. */
export function TokenMake({ user, close, done }: Props) {
  const { name: own, super_admin: isSuper } = useAccount();
  const [made, setMade] = useState<Results['CreateToken']>();
  const users = useUserNames();
  const dcs = useDatacenterNames();
  const fields: readonly Field<Wish>[] = [
    { name: 'name', label: 'Name', isRequired: true, hint: 'by which it is known and revoked' },
    ...(isSuper ? ([{ name: 'user', label: 'Whose', suggestions: users }] as const) : []),
    { name: 'scope', label: 'What it is good for', kind: 'choice', choices: scopes },
    {
      name: 'dc',
      label: 'Where',
      kind: 'choice',
      choices: [['', 'in all data centers of its user'], ...dcs.map((dc) => [dc, `in ${dc} only`] as const)],
    },
    {
      name: 'expires',
      label: 'Until',
      suggestions: ['12h', '7d', '30d', '90d', '52w'],
      hint: 'a date such as 2030-01-31, or 12h, 90d, 4w; without an end where it is empty',
    },
  ];
  const submit = async (wish: Wish) => {
    if (wish.name === '') throw new Refusal(400, 'InvalidInput', 'it has no name yet', { name: 'is missing' });
    const { result } = await ask<Results['CreateToken']>('/token', { method: 'POST', body: filled(wish) });
    setMade(result);
    done();
  };
  if (made) {
    return (
      <Once
        title={`The token ${made.name} of ${made.user}`}
        secret={made.token}
        words="Send it as “Authorization: Bearer …”, or give it to slipway login --token-file."
        close={close}
      />
    );
  }
  return (
    <Dialog title="A new token" close={close}>
      <Form
        name="make:token"
        fields={fields}
        initial={{ name: '', user: user ?? own, scope: 'write', dc: '', expires: '90d' }}
        submit={submit}
        label="Make it"
        cancel={close}
      />
    </Dialog>
  );
}

import { useState } from 'preact/hooks';
import { ask, part, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { Dialog } from '../parts/dialog.js';
import { type Field, Form } from '../parts/form.js';
import { filled } from '../parts/make.js';
import { Once } from '../parts/once.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { newWebhook, type WebhookWish, webhookFields } from '../parts/webhook-form.js';
import { WebhookBadge } from '../parts/webhook-words.js';
import { Time } from '../parts/words.js';
import { Link, useQuery } from '../router.js';

type Webhook = Results['GetWebhook'];

const pageOf = ({ name, user }: Webhook) => `/webhooks/${part(name)}${user ? `?user=${part(user)}` : ''}`;

const columns: readonly Column<Webhook>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: (webhook) => <Link to={pageOf(webhook)}>{webhook.name}</Link>,
  },
  { name: 'status', title: 'Status', shown: true, cell: (webhook) => <WebhookBadge webhook={webhook} /> },
  { name: 'url', title: 'URL', shown: true, order: 'url', cell: ({ url }) => url },
  { name: 'events', title: 'Told of', shown: true, cell: ({ events }) => events.join(', ') },
  { name: 'dc', title: 'Data center', shown: true, cell: ({ dc }) => dc ?? 'all' },
  { name: 'user', title: 'Of', shown: true, cell: ({ user }) => user ?? '' },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
];

/** Who is told what happens, as far as the owner of each may know of it. */
export default function Webhooks() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Webhook>('/webhook', { query: { search, order_by: sort || 'name' }, kinds: ['webhooks'] });
  return (
    <section>
      <h1>Webhooks</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search webhooks" />
      </div>
      <Table
        name="webhooks"
        caption="Webhooks"
        rows={rows}
        columns={columns}
        idOf={({ name, user }) => `${user}/${name}`}
        to={pageOf}
        empty={search ? 'No webhook is like that.' : 'Nobody is told what happens.'}
        tools={
          <Opens label="Make a webhook …" isMain>
            {(close) => <New close={close} done={rows.refresh} />}
          </Opens>
        }
      />
    </section>
  );
}

function New({ close, done }: { close: () => void; done: () => void }) {
  const [secret, setSecret] = useState<string>();
  const dcs = useDatacenterNames();
  const fields: readonly Field<WebhookWish>[] = [
    { name: 'name', label: 'Name', isRequired: true },
    ...webhookFields,
    {
      name: 'dc',
      label: 'Where',
      kind: 'choice',
      choices: [['', 'in all data centers'], ...dcs.map((dc) => [dc, `in ${dc} only`] as const)],
    },
  ];
  if (secret !== undefined) {
    return (
      <Once
        title="The key of the webhook"
        secret={secret}
        words="It signs what is told: the other side checks with it that this server tells it."
        close={close}
      />
    );
  }
  const submit = async ({ name, ...wish }: WebhookWish) => {
    if (name === '') throw new Refusal(400, 'InvalidInput', 'it has no name yet', { name: 'is missing' });
    const made = await ask<Results['CreateWebhook']>(`/webhook/${part(name)}`, { method: 'POST', body: filled(wish) });
    setSecret(made.result.secret ?? '');
    done();
  };
  return (
    <Dialog title="A new webhook" close={close}>
      <Form name="make:webhook" fields={fields} initial={newWebhook} submit={submit} label="Make it" cancel={close} />
    </Dialog>
  );
}

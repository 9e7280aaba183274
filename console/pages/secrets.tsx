import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { Change } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { Copy } from '../parts/copy.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { filled, Make } from '../parts/make.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { newSecret, secretBody, secretFields, secretWish } from '../parts/secret-form.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { Time } from '../parts/words.js';
import { useQuery } from '../router.js';
import { useAccount } from '../session.js';

type Secret = Results['GetSecret'] & { etag?: string };

const queryOf = ({ dc }: Secret) => (dc === null ? {} : { dc });
const called = ({ name, dc }: Secret) => (dc === null ? name : `${name} of ${dc}`);

const columns = (done: () => void): readonly Column<Secret>[] => [
  { name: 'name', title: 'Name', shown: true, order: 'name', cell: ({ name }) => name },
  {
    name: 'dc',
    title: 'Data center',
    shown: true,
    order: 'dc',
    cell: ({ dc }) => dc ?? <span class="quiet">none</span>,
  },
  { name: 'type', title: 'What', shown: true, cell: ({ type }) => type },
  { name: 'host', title: 'Host', shown: true, order: 'host', cell: ({ host }) => host },
  { name: 'username', title: 'User name', shown: true, cell: ({ username }) => username ?? '' },
  {
    name: 'public',
    title: 'Public half',
    cell: ({ public_key: key }) =>
      key && (
        <>
          <code>{key}</code> <Copy text={key} what="the public key" />
        </>
      ),
  },
  { name: 'changed', title: 'Changed', shown: true, cell: ({ changed }) => <Time at={changed} /> },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'do', title: 'Actions', shown: true, cell: (secret) => <Actions secret={secret} done={done} /> },
];

/** What proves the server to sources. What they are, nobody is told. */
export default function Secrets() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Secret>('/secret', { query: { search, order_by: sort || 'name' }, kinds: ['secrets'] });
  return (
    <section>
      <h1>Secrets</h1>
      <p class="quiet">Credentials for sources: each is told to its host only, and never shown again.</p>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search secrets" />
      </div>
      <Table
        name="secrets"
        caption="Secrets"
        rows={rows}
        columns={columns(rows.refresh)}
        idOf={called}
        empty={search ? 'No secret is like that.' : 'There is none.'}
        tools={
          <Opens label="Add a secret …" title="A new secret" isMain>
            {(close) => <New close={close} done={rows.refresh} />}
          </Opens>
        }
      />
    </section>
  );
}

function New({ close, done }: { close: () => void; done: () => void }) {
  const { super_admin: isSuper } = useAccount();
  const dcs = useDatacenterNames();
  const nowhere = isSuper ? [['', 'none: for SuperAdmins, and what is there for all'] as const] : [];
  return (
    <Make
      name="secret"
      called="name"
      path="/secret"
      fields={[
        { name: 'name', label: 'Name', isRequired: true },
        {
          name: 'dc',
          label: 'Data center',
          kind: 'choice',
          choices: [...nowhere, ...dcs.map((dc) => [dc, dc] as const)],
          hint: 'whose import administrators may use it',
        },
        ...secretFields,
      ]}
      initial={{ ...newSecret, dc: isSuper ? '' : (dcs[0] ?? '') }}
      body={(wish) => filled(secretBody(wish))}
      done={(_, name) => {
        toast(`the secret ${name} is kept`);
        done();
        close();
      }}
      cancel={close}
      label="Add"
    />
  );
}

const Actions = ({ secret, done }: { secret: Secret; done: () => void }) => (
  <span class="line-actions">
    <Opens label="Change …" of={called(secret)} title={`Change ${called(secret)}`}>
      {(close) => (
        <Change
          path={`/secret/${part(secret.name)}`}
          query={queryOf(secret)}
          kinds={['secrets']}
          fields={secretFields}
          from={secretWish}
          body={secretBody}
          done={() => {
            toast(`${called(secret)} is changed`);
            done();
            close();
          }}
          cancel={close}
        />
      )}
    </Opens>
    <Opens label="Delete …" of={called(secret)}>
      {(close) => (
        <Confirm
          title={`Delete the secret ${called(secret)}?`}
          label="Delete"
          act={async () => {
            await ask(`/secret/${part(secret.name)}`, {
              method: 'DELETE',
              query: queryOf(secret),
              ifMatch: secret.etag,
            });
            toast(`${called(secret)} is deleted`);
            done();
          }}
          close={close}
        >
          <p>It can not be restored. While something uses it, the server refuses.</p>
        </Confirm>
      )}
    </Opens>
  </span>
);

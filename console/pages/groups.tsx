import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { groupFields, newGroup } from '../parts/group-form.js';
import { Make } from '../parts/make.js';
import { Opens } from '../parts/open.js';
import { Rights } from '../parts/rights.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { Time } from '../parts/words.js';
import { go, Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

type Group = Results['GetGroup'];

const pageOf = (name: string) => `/groups/${part(name)}`;

const columns: readonly Column<Group>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={pageOf(name)}>{name}</Link>,
  },
  { name: 'alias', title: 'Alias', shown: true, order: 'alias', cell: ({ alias }) => alias },
  {
    name: 'permissions',
    title: 'Permissions',
    shown: true,
    cell: ({ permissions }) => permissions.join(', ') || <span class="quiet">members only</span>,
  },
  { name: 'users', title: 'Members', shown: true, isNumber: true, cell: ({ users }) => users.length },
  { name: 'dcs', title: 'Data centers', shown: true, cell: ({ dcs }) => dcs.join(', ') || <i>none</i> },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
];

export default function Groups() {
  const { super_admin: isSuper } = useAccount();
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Group>('/group', { query: { search, order_by: sort || 'name' }, kinds: ['groups'] });
  return (
    <section>
      <h1>Groups</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search groups" />
      </div>
      <Table
        name="groups"
        caption="Groups"
        rows={rows}
        columns={columns}
        idOf={({ name }) => name}
        to={({ name }) => pageOf(name)}
        empty={search ? 'No group is like that.' : 'There is no group that you may know of.'}
        tools={
          isSuper && (
            <Opens label="Make a group …" title="A new group" isMain>
              {(close) => (
                <Make
                  name="group"
                  called="name"
                  path="/group"
                  fields={[
                    { name: 'name', label: 'Name', isRequired: true, hint: 'it stays as it is' },
                    ...groupFields,
                  ]}
                  initial={newGroup}
                  told={({ permissions }) => (
                    <div>
                      In each data center to which it is attached, its members may then
                      <Rights held={permissions} />
                    </div>
                  )}
                  done={(_, name) => {
                    toast(`group ${name} is made, and attached to no data center yet`);
                    close();
                    go(pageOf(name));
                  }}
                  cancel={close}
                />
              )}
            </Opens>
          )
        }
      />
    </section>
  );
}

import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { filled, Make } from '../parts/make.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { newFields, newUser, userBody } from '../parts/user-form.js';
import { UserBadges } from '../parts/user-words.js';
import { bytes, Time } from '../parts/words.js';
import { go, Link, useQuery } from '../router.js';

type User = Results['GetUser'];

const pageOf = (name: string) => `/users/${part(name)}`;

const columns: readonly Column<User>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={pageOf(name)}>{name}</Link>,
  },
  {
    name: 'display_name',
    title: 'Called',
    shown: true,
    order: 'display_name',
    cell: ({ display_name: called }) => called,
  },
  { name: 'status', title: 'Status', shown: true, cell: (user) => <UserBadges user={user} /> },
  {
    name: 'openid',
    title: 'OpenID subject',
    cell: ({ openid_subject: subject }) => subject ?? 'none',
  },
  { name: 'email', title: 'Mail', shown: true, order: 'email', cell: ({ email }) => email },
  {
    name: 'password',
    title: 'Password',
    shown: true,
    cell: ({ has_password: isSet }) => (isSet ? 'set' : 'none'),
  },
  { name: 'keys', title: 'Keys', shown: true, isNumber: true, cell: ({ keys }) => keys.length },
  {
    name: 'limit',
    title: 'Limit',
    isNumber: true,
    cell: ({ image_bytes_limit: limit }) => (limit === null ? 'none' : bytes(limit)),
  },
  { name: 'created', title: 'Created', shown: true, order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'uuid', title: 'UUID', cell: ({ uuid }) => <code>{uuid}</code> },
];

export default function Users() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<User>('/user', { query: { search, order_by: sort || 'name' }, kinds: ['users'] });
  return (
    <section>
      <h1>Users</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search users" />
      </div>
      <Table
        name="users"
        caption="Users"
        rows={rows}
        columns={columns}
        idOf={({ uuid }) => uuid}
        to={({ name }) => pageOf(name)}
        empty="No user is like that."
        tools={
          <Opens label="Make a user …" title="A new user" isMain>
            {(close) => (
              <Make
                name="user"
                called="name"
                path="/user"
                fields={newFields}
                initial={newUser}
                body={(wish) => ({ ...filled(userBody(wish)), api_access: wish.api_access })}
                done={(_, name) => {
                  toast(`user ${name} is made, and belongs to no group yet`);
                  close();
                  go(pageOf(name));
                }}
                cancel={close}
              />
            )}
          </Opens>
        }
      />
    </section>
  );
}

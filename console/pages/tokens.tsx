import { useRows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { useUserNames } from '../parts/datacenter-form.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { TokenMake } from '../parts/token-make.js';
import { type Token, TokenRevoke } from '../parts/token-revoke.js';
import { Time } from '../parts/words.js';
import { useQuery } from '../router.js';
import { useAccount } from '../session.js';

const columns = (done: () => void): readonly Column<Token>[] => [
  { name: 'name', title: 'Name', shown: true, order: 'name', cell: ({ name }) => name },
  { name: 'user', title: 'Of', shown: true, order: 'user', cell: ({ user }) => user },
  { name: 'scope', title: 'Good for', shown: true, cell: ({ scope }) => scope },
  { name: 'dc', title: 'Data center', shown: true, cell: ({ dc }) => dc ?? 'all' },
  {
    name: 'expires',
    title: 'Ends',
    shown: true,
    cell: ({ expires, expired }) => (
      <>
        <Time at={expires ?? null} /> {expired && <Badge text="expired" tone="bad" />}
      </>
    ),
  },
  { name: 'used', title: 'Used', shown: true, order: 'last_used', cell: ({ last_used: used }) => <Time at={used} /> },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'revoke', title: 'Actions', shown: true, cell: (token) => <TokenRevoke token={token} done={done} /> },
];

export default function Tokens() {
  const { name: own, super_admin: isSuper } = useAccount();
  const [search, setSearch] = useQuery('search');
  const [user, setUser] = useQuery('user');
  const [sort] = useQuery('sort');
  const names = useUserNames();
  const rows = useRows<Token>('/token', {
    query: { search, order_by: sort || 'user', user: isSuper ? user : '' },
    kinds: ['tokens'],
  });
  return (
    <section>
      <h1>Tokens</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search tokens" />
        {isSuper && (
          <select aria-label="whose" value={user} onChange={(event) => setUser(event.currentTarget.value)}>
            <option value="">of all users</option>
            {[...new Set([own, user, ...names])]
              .filter((name) => name !== '')
              .map((name) => (
                <option key={name} value={name}>
                  {name === own ? 'my own' : `of ${name}`}
                </option>
              ))}
          </select>
        )}
      </div>
      <Table
        name="tokens"
        caption="Tokens"
        rows={rows}
        columns={columns(rows.refresh)}
        idOf={({ user, name }) => `${user}/${name}`}
        empty={search ? 'No token is like that.' : 'There is none.'}
        tools={
          <Opens label="Make a token …" isMain>
            {(close) => <TokenMake close={close} done={rows.refresh} />}
          </Opens>
        }
      />
    </section>
  );
}

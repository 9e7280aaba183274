import { useState } from 'preact/hooks';
import { useStretch } from '../api/use-stretch.js';
import { auditColumns } from '../parts/audit-columns.js';
import { AuditEntry, type Entry } from '../parts/audit-entry.js';
import { AuditExport } from '../parts/audit-export.js';
import { AuditHeads } from '../parts/audit-heads.js';
import { auditKinds } from '../parts/audit-kinds.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { beginOf, endOf } from '../parts/days.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { Table } from '../parts/table.js';
import { useQuery } from '../router.js';
import { useAccount } from '../session.js';

/** What was done, by whom, from where, to what: the newest first. */
export default function Audit() {
  const { super_admin: isSuper } = useAccount();
  const [dc, setDc] = useQuery('dc');
  const [kind, setKind] = useQuery('kind');
  const [object, setObject] = useQuery('object');
  const [user, setUser] = useQuery('user');
  const [what, setWhat] = useQuery('what');
  const [from, setFrom] = useQuery('from');
  const [to, setTo] = useQuery('to');
  const dcs = useDatacenterNames();
  const query = { dc, kind, object, user, what, since: beginOf(from), until: endOf(to) };
  const rows = useStretch<Entry>('/audit', query);
  const [shown, setShown] = useState<Entry>();
  const isFiltered = [dc, kind, object, user, what, from, to].some((one) => one !== '');
  return (
    <section>
      <h1>Audit</h1>
      <div class="bar">
        <select aria-label="data center" value={dc} onChange={(event) => setDc(event.currentTarget.value)}>
          <option value="">{isSuper ? 'all data centers' : 'all of mine'}</option>
          {[...new Set([...dcs, dc])]
            .filter((name) => name !== '')
            .map((name) => (
              <option key={name}>{name}</option>
            ))}
        </select>
        <select aria-label="of which kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          <option value="">of every kind</option>
          {auditKinds.map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
        <Search value={object} change={setObject} label="of this: a name or an id" />
        <Search value={user} change={setUser} label="by this user" />
        <Search value={what} change={setWhat} label="this call only" />
        <label>
          from <input type="date" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        </label>
        <label>
          to <input type="date" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        </label>
      </div>
      <Table
        name="audit"
        caption="Audit"
        rows={rows}
        columns={auditColumns(setShown)}
        idOf={({ id }) => id}
        empty={isFiltered ? 'Nothing like that was done.' : 'Nothing has been done yet that you may know of.'}
        tools={
          <>
            <AuditExport query={query} />
            {isSuper && (
              <Opens label="How far it goes …" title="How far the chains of the audit go">
                {() => <AuditHeads />}
              </Opens>
            )}
          </>
        }
      />
      {shown && <AuditEntry entry={shown} close={() => setShown(undefined)} />}
    </section>
  );
}

import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { useStretch } from '../api/use-stretch.js';
import { Link } from '../router.js';
import { auditColumns } from './audit-columns.js';
import { AuditEntry, type Entry } from './audit-entry.js';
import { Table } from './table.js';
import type { Image } from './use-image.js';

/** What was done to it, by whom, the newest first. */
export function History({ image: { uuid, alias } }: { image: Image }) {
  const rows = useStretch<Entry>('/audit', { object: uuid });
  const [shown, setShown] = useState<Entry>();
  return (
    <section>
      <h2 class="part">Its history</h2>
      <Table
        name="image-history"
        caption={`What was done to ${alias}`}
        rows={rows}
        columns={auditColumns(setShown)}
        idOf={({ id }) => id}
        empty="Nothing is known of what was done to it."
        tools={
          <Link class="button" to={`/audit?object=${part(uuid)}`}>
            In the audit
          </Link>
        }
      />
      {shown && <AuditEntry entry={shown} close={() => setShown(undefined)} />}
    </section>
  );
}

import type { Results } from '../api/types.js';
import { Copy } from './copy.js';
import { Dialog } from './dialog.js';
import { bytes } from './words.js';

export type Entry = Results['SearchAudit'][number];

/** All that was written down of one thing that was done. */
export function AuditEntry({ entry, close }: { entry: Entry; close: () => void }) {
  const { at, who, uuid, kind, token, from, what, request, result, count, bytes: moved, chain, seq, hash, id } = entry;
  const facts: readonly (readonly [string, string | number | undefined])[] = [
    ['When', at],
    ['Who', `${who}, ${kind}`],
    ['Its uuid', uuid],
    ['Token', token],
    ['From', from],
    ['What', what],
    ['Result', result],
    ['How many times', count],
    ['Bytes', moved === undefined ? undefined : bytes(moved)],
    ['Data centers', entry.datacenters.join(', ')],
    ['Request or task', request],
    ['Entry', id],
    ['Chain', chain && `${chain}, ${seq}`],
    ['Hash', hash],
  ];
  return (
    <Dialog title={what} close={close}>
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== undefined && value !== '')
          .map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}:`}>{value}</dd>])}
      </dl>
      <h3>Of what</h3>
      <ul>
        {entry.objects.map((object) => (
          <li key={`${object.kind}/${object.id}`}>
            {object.kind} <strong>{object.name}</strong> {object.action}
            {object.fields && object.fields.length > 0 && `: ${object.fields.join(', ')}`}
            {object.name !== object.id && (
              <div>
                <code>{object.id}</code>
              </div>
            )}
          </li>
        ))}
      </ul>
      <footer class="foot">
        <Copy text={JSON.stringify(entry, undefined, 2)} what="the entry as JSON" />
        <button type="button" class="main" onClick={close}>
          Close
        </button>
      </footer>
    </Dialog>
  );
}

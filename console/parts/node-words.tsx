import type { Results } from '../api/types.js';
import { Badge } from './badge.js';
import { Cut } from './cut.js';
import { Time } from './words.js';

export type Node = Results['GetNode'];
/** As lists have it. */
export type ListedNode = Node & { etag: string };

/** What tells that something about nodes may have changed. */
export const nodeKinds = ['nodes', 'node-statuses', 'node-images', 'vms'] as const;

/** Whether it answers; else why not, and since when. */
export function NodeState({ node: { online, since, reason, connection } }: { node: Node }) {
  if (!connection) return <Badge text="not managed" title="it has no address: nothing is asked of it" />;
  if (online === null) return <Badge text="not asked yet" title={reason ?? 'its inventory was never taken'} />;
  if (online) {
    return (
      <span class="badges">
        <Badge text="online" tone="good" />
        {reason && <Badge text="trouble" tone="warn" title={reason} />}
      </span>
    );
  }
  return (
    <span class="badges">
      <Badge text="offline" tone="bad" title="it does not answer" />
      <small>
        since <Time at={since} />
      </small>
      {reason && (
        <small>
          <Cut text={reason} tone="why quiet" />
        </small>
      )}
    </span>
  );
}

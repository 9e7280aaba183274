import type { Results } from '../api/types.js';
import { Badge } from './badge.js';

/** How a webhook stands. */
export function WebhookBadge({
  webhook: { active, reason, failing_since: failing },
}: {
  webhook: Results['GetWebhook'];
}) {
  if (!active) return <Badge text="off" title={reason ?? 'it was switched off'} tone={reason ? 'bad' : ''} />;
  if (failing) return <Badge text="failing" title={`since ${failing}`} tone="warn" />;
  return <Badge text="on" tone="good" />;
}

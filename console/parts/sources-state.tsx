import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Badge } from './badge.js';
import { toast } from './toasts.js';

/** Which image servers a node asks, and is to. */
export type Sources = Results['PushNodeSources'];

const states: Record<Sources['state'], readonly [word: string, tone: string, meaning: string]> = {
  ok: ['as wanted', 'good', 'it asks what is configured'],
  differs: ['differs', 'warn', 'it asks others than are configured; it is told soon'],
  offline: ['offline', 'warn', 'it is told when it is back'],
  failed: ['failed', 'bad', 'it could not be told; it is tried again'],
  off: ['its own', '', 'the list is the node’s own: the server leaves it as it is'],
};

export function SourcesState({ of: { state, error } }: { of: Sources }) {
  const [word, tone, meaning] = states[state];
  return <Badge text={word} tone={tone} title={error ?? meaning} />;
}

export async function pushSources(node: string): Promise<void> {
  const { result } = await ask<Sources>(`/node/${part(node)}/source`, { method: 'PUT', body: {} });
  toast(`${node}: ${states[result.state][2]}`);
}

import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import type { MenuAction } from './menu.js';

export type Campaign = Omit<Results['GetCampaign'], 'nodes'>;
/** As lists have it. */
export type ListedCampaign = Campaign & { etag: string };

export const campaignKinds = ['campaigns', 'campaign-nodes'] as const;

export const campaignStates: Record<Campaign['state'], readonly [word: string, tone: string]> = {
  running: ['running', 'warn'],
  stopped: ['stopped', ''],
  done: ['done', 'good'],
  failed: ['failed', 'bad'],
};

/** How far the whole of it is: what is over counts, whatever has become of it. */
export function CampaignBar({ of: { name, total, done, skipped, failed, waiting, pulling } }: { of: Campaign }) {
  const words = [
    [done, 'done'],
    [pulling, 'fetching'],
    [waiting, 'waiting'],
    [skipped, 'skipped'],
    [failed, 'failed'],
  ] as const;
  return (
    <div class="progress">
      <progress aria-label={`nodes of ${name} that are over`} value={done + skipped + failed} max={total || 1} />
      <small>
        {words
          .filter(([count]) => count > 0)
          .map(([count, word]) => `${count} ${word}`)
          .join(', ')}{' '}
        of {total}
      </small>
    </div>
  );
}

/** What can be done with it; what can not be done now says why. */
export const actionsOf = (
  { name, state, done, total }: Campaign,
  tag: string | undefined,
  { act, remove }: { act: (label: string, work: () => Promise<unknown>) => void; remove: () => void },
): readonly MenuAction[] => {
  const isRunning = state === 'running';
  const change = (action: 'stop' | 'start' | 'retry') => () =>
    act(action, () => ask(`/campaign/${part(name)}`, { method: 'PUT', body: { action }, ifMatch: tag }));
  const unless = (isSo: boolean, reason: string) => (isSo ? undefined : reason);
  return [
    { label: 'Stop', act: change('stop'), reason: unless(isRunning, `it does not run: it is ${state}`) },
    {
      label: 'Start again',
      act: change('start'),
      reason: unless(!isRunning && state !== 'done', isRunning ? 'it runs' : 'it is done'),
    },
    {
      label: 'Retry what failed or was skipped',
      act: change('retry'),
      reason: unless(!isRunning && done < total, isRunning ? 'it runs: stop it first' : 'every node has the image'),
    },
    { label: 'Delete …', isGrave: true, act: remove, reason: unless(!isRunning, 'it runs: stop it first') },
  ];
};

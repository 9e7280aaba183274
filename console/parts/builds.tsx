import { useEffect, useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { Badge } from './badge.js';
import type { Remote } from './remote.js';
import { bytes } from './words.js';

interface Props {
  repository: string;
  remote: Remote;
}

interface Step {
  uuid: string;
  /** Absent where the repository does not list it. */
  remote?: Remote;
}

/** Nobody builds that high: a chain in a circle ends here. */
const HIGHEST = 100;

/** What an image builds on, the lowest first: it is brought along where it is not here. */
export function Builds({ repository, remote }: Props) {
  const [steps, setSteps] = useState<readonly Step[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    const follow = async () => {
      let found: Step[] = [];
      let origin = remote.manifest.origin;
      while (typeof origin === 'string' && found.length < HIGHEST) {
        const uuid = origin;
        const next = await ask<Remote>(`/imagestore/${part(repository)}/image/${part(uuid)}`, {
          signal: abort.signal,
        }).catch(() => undefined);
        if (abort.signal.aborted) return;
        found = [{ uuid, ...(next && { remote: next.result }) }, ...found];
        setSteps(found);
        origin = next?.result.registered ? undefined : next?.result.manifest.origin;
      }
    };
    void follow();
    return () => abort.abort();
  }, [repository, remote]);
  if (steps.length === 0) return null;
  return (
    <section aria-label="what it builds on">
      <h3>It builds on</h3>
      <ol class="lines">
        {steps.map(({ uuid, remote: one }) => (
          <li key={uuid}>
            {one ? `${one.name} ${one.version}` : <code>{uuid}</code>}{' '}
            {one?.registered ? (
              <Badge text="here" tone="good" title="it is registered here already" />
            ) : one ? (
              <span class="quiet">is brought along, {bytes(one.download_size)}</span>
            ) : (
              <span class="quiet">is not in the list of the repository</span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

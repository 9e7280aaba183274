import { useAsked } from '../api/use-asked.js';
import { Act } from './act.js';
import { Failure } from './failure.js';
import type { Node } from './node-words.js';
import { pushSources, type Sources, SourcesState } from './sources-state.js';
import { Time } from './words.js';

/** Which image servers the node asks, beside those that it is to ask. */
export function NodeSources({ node: { name, connection, keep_sources: isKept } }: { node: Node }) {
  const { answer, failure, refresh } = useAsked<Sources[]>('/nodesource', {
    query: { full: true, search: name },
    kinds: ['node-sources', 'nodes', 'node-statuses', 'datacenters', 'settings'],
  });
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const sources = answer.result.find(({ node }) => node === name);
  if (!connection || !sources) return <p>Nothing is asked of the node: which image servers it asks is not known.</p>;
  const { wanted, there, before, since, checked, error } = sources;
  return (
    <>
      <div class="heads">
        <p class="grow">
          <SourcesState of={sources} />{' '}
          {since !== null && (
            <span class="quiet">
              since <Time at={since} />; looked at <Time at={checked} />
            </span>
          )}
        </p>
        <Act
          label="Tell it now"
          reason={isKept ? undefined : 'its list is its own: “Change” has a switch for that'}
          act={() => pushSources(name).finally(refresh)}
        />
      </div>
      {error !== null && <p class="failure">{error}</p>}
      <div class="boxes">
        <Servers title="It is to ask" all={wanted} none="none" />
        <Servers title="It asks" all={there} none="it has not told yet" />
        {before !== null && <Servers title="It asked before" all={before} none="none" />}
      </div>
      <p class="hint">Its own token in the address of this server is not shown.</p>
    </>
  );
}

const Servers = ({ title, all, none }: { title: string; all: readonly string[] | null; none: string }) => (
  <section class="box" aria-label={title}>
    <h2>{title}</h2>
    {all === null || all.length === 0 ? (
      <p>{none}</p>
    ) : (
      <ol>
        {all.map((url) => (
          <li key={url}>
            <code>{url}</code>
          </li>
        ))}
      </ol>
    )}
  </section>
);

import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Copy } from './copy.js';
import { Failure } from './failure.js';
import { Lines } from './lines.js';
import { Time } from './words.js';

/** How far the chains go, signed: whoever keeps that can tell later whether something was cut off. */
export function AuditHeads() {
  const { answer, failure, refresh } = useAsked<Results['GetAuditHeads']>('/audit/head');
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const { key, heads } = answer.result;
  return (
    <>
      <p>
        Keep them elsewhere: <code>slipway audit verify --heads FILE</code> tells later whether an export holds all of
        that.
      </p>
      <p>
        All of it <Copy text={JSON.stringify(answer.result, undefined, 2)} what="the heads as JSON" />, the public key{' '}
        <Copy text={key} what="the public key" />
      </p>
      <Lines
        label="chains"
        of={heads}
        idOf={({ chain }) => chain}
        title={({ chain, seq }) => (
          <>
            {chain} <span class="quiet">up to {seq}</span>
          </>
        )}
        details={({ hash, time }) => (
          <>
            <code>{hash}</code>, <Time at={time} />
          </>
        )}
        empty="Nothing is written yet."
      />
    </>
  );
}

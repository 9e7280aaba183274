import { useState } from 'preact/hooks';
import { ask, part, Refusal, Unreachable } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Failure } from './failure.js';
import { Lines } from './lines.js';

type Plan = Results['RunFollow'];
type Row = Plan['import'][number];

/** What the next run would do, by the last list of the repository. */
export function FollowPlan({ name }: { name: string }) {
  const [plan, setPlan] = useState<Plan>();
  const [failure, setFailure] = useState<Refusal | Unreachable>();
  const look = async () => {
    setFailure(undefined);
    try {
      setPlan((await ask<Plan>(`/follow/${part(name)}/run`, { method: 'POST', body: { dry_run: true } })).result);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      setFailure(error);
    }
  };
  return (
    <section class="box">
      <h2>What the next run would do</h2>
      {failure && <Failure of={failure} wasToBe="done" />}
      {plan && (
        <>
          <p role="status">
            {plan.matched} {plan.matched === 1 ? 'image matches' : 'images match'}, by the last list of the repository.
          </p>
          <Part title="Import" rows={plan.import} empty="Nothing: all that matches is here." />
          <Part title="Retire" rows={plan.retire} empty="Nothing." />
          {plan.spared.length > 0 && <Part title="Spare" rows={plan.spared} empty="" />}
          {plan.stopped && <p class="error">{plan.stopped}</p>}
        </>
      )}
      <button type="button" onClick={look}>
        {plan ? 'Look again' : 'Look'}
      </button>
    </section>
  );
}

const Part = ({ title, rows, empty }: { title: string; rows: readonly Row[]; empty: string }) => (
  <>
    <h3>
      {title} {rows.length > 0 && <span class="quiet">{rows.length}</span>}
    </h3>
    <Lines
      label={title}
      of={rows}
      idOf={({ uuid }) => uuid}
      title={({ name, version }) => (
        <>
          {name} <span class="quiet">{version}</span>
        </>
      )}
      details={({ why, uuid }) => (
        <>
          {why} <code>{uuid}</code>
        </>
      )}
      empty={empty}
    />
  </>
);

import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { PageProps } from '../pages.js';
import { ChangeOf } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { Failure } from '../parts/failure.js';
import { followBody, followFields, followWish } from '../parts/follow-form.js';
import { FollowPlan } from '../parts/follow-plan.js';
import { Opens } from '../parts/open.js';
import { toast } from '../parts/toasts.js';
import { useRepositoryNames } from '../parts/use-choices.js';
import { Time } from '../parts/words.js';
import { go, Link } from '../router.js';

type Follow = Results['GetFollow'];

export default function FollowPage({ params: { name = '' } }: PageProps) {
  const path = `/follow/${part(name)}`;
  const { answer, failure, refresh } = useAsked<Follow>(path, { kinds: ['follows'] });
  const fields = followFields(useRepositoryNames(), useDatacenterNames());
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const { repository, tried, last_run: last, imported, retired, error, task } = answer.result;
  const run = async () => {
    await ask(`${path}/run`, { method: 'POST' });
    toast(`${name} runs: its progress is on the page of tasks`);
    refresh();
  };
  return (
    <article>
      <header class="heading">
        <h1>
          {name} <span class="quiet">of {repository}</span>
        </h1>
        <Opens label="Run now …">
          {(close) => (
            <Confirm title={`Run ${name} now?`} label="Run" act={run} close={close}>
              <p>The repository is asked for its list; what is new is imported, and what is gone retired if so set.</p>
            </Confirm>
          )}
        </Opens>
        <Opens label="Delete …" isGrave>
          {(close) => (
            <Confirm
              title={`Delete the follow ${name}?`}
              label="Delete"
              act={async () => {
                await ask(path, { method: 'DELETE', ifMatch: answer.tag });
                toast(`${name} is deleted`);
                go('/follows');
              }}
              close={close}
            >
              <p>What it has brought stays.</p>
            </Confirm>
          )}
        </Opens>
      </header>
      <div class="boxes loose">
        <section class="box">
          <h2>Its last run</h2>
          {error && <p class="failure">{error}</p>}
          <dl class="facts">
            <dt>Started</dt>
            <dd>
              <Time at={tried} /> {task && <Link to={`/tasks/${part(task)}`}>its task</Link>}
            </dd>
            <dt>Came to its end</dt>
            <dd>
              <Time at={last} />
            </dd>
            <dt>Imported</dt>
            <dd>{imported ?? '–'}</dd>
            <dt>Retired</dt>
            <dd>{retired ?? '–'}</dd>
          </dl>
        </section>
        <FollowPlan name={name} />
        <section class="box">
          <h2>How it is set up</h2>
          <ChangeOf
            path={path}
            answer={answer}
            refresh={refresh}
            fields={fields}
            from={followWish}
            body={followBody}
            done={() => toast(`${name} is changed`)}
          />
        </section>
      </div>
    </article>
  );
}

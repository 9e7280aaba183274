import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import type { Asked } from '../api/use-asked.js';
import { ChangeOf } from './change.js';
import { Fact } from './fact.js';
import { Failure } from './failure.js';
import { bodyOf, type Group, groups, type Row, sourceOf, type Typed, typedFrom, wordsOf } from './settings-rows.js';
import { toast } from './toasts.js';

type All = Results['GetSettings'];

interface Props {
  dc: string;
  asked: Asked<All>;
  mayChange: boolean;
}

/** What is set for a data center: a form for each thing that it is about, or just what it is. */
export function Settings({ dc, asked: { answer, failure, refresh }, mayChange }: Props) {
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const isMain = dc === 'main';
  return (
    <div class="boxes loose">
      {groups
        .filter(({ isGlobal }) => isMain || !isGlobal)
        .map((group) => (
          <section class="box" key={group.title} aria-label={group.title}>
            <h2>{group.title}</h2>
            {group.words && <p class="quiet">{group.words}</p>}
            {mayChange ? (
              <ChangeOf<All, Typed>
                path={`/dc/${part(dc)}/settings`}
                name={group.title}
                answer={answer}
                refresh={refresh}
                fields={group.rows.map((row) => ({ ...row, hint: hintOf(row, answer.result) }))}
                from={typedFrom}
                body={bodyOf}
                done={() => toast(`${group.title}: set in ${dc}`)}
              />
            ) : (
              <Shown group={group} settings={answer.result} />
            )}
          </section>
        ))}
    </div>
  );
}

const hintOf = (row: Row, settings: All) => [row.hint, sourceOf(row, settings)].filter(Boolean).join('; ');

function Shown({ group, settings }: { group: Group; settings: All }) {
  const typed = typedFrom(settings);
  return (
    <dl class="facts">
      {group.rows
        .filter(({ when }) => !when || when(typed))
        .map((row) => (
          <Fact key={row.name} name={row.label}>
            {wordsOf(row, typed)} <span class="quiet">{sourceOf(row, settings)}</span>
          </Fact>
        ))}
    </dl>
  );
}

import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { PageProps } from '../pages.js';
import { ChangeOf } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { Failure } from '../parts/failure.js';
import { groupFields, groupWish } from '../parts/group-form.js';
import { GroupMembers } from '../parts/group-members.js';
import { Lines } from '../parts/lines.js';
import { Opens } from '../parts/open.js';
import { Rights } from '../parts/rights.js';
import { toast } from '../parts/toasts.js';
import { go, Link } from '../router.js';
import { useAccount } from '../session.js';

type Group = Results['GetGroup'];

export default function GroupPage({ params: { name = '' } }: PageProps) {
  const { super_admin: isSuper } = useAccount();
  const path = `/group/${part(name)}`;
  const { answer, failure, refresh } = useAsked<Group>(path, { kinds: ['groups', 'users', 'datacenters'] });
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const { alias, permissions, dcs, users } = answer.result;
  return (
    <article>
      <header class="heading">
        <h1>
          {name} {alias !== name && <span class="quiet">{alias}</span>}
        </h1>
        {isSuper && (
          <Opens label="Delete …" isGrave>
            {(close) => (
              <Confirm
                title={`Delete the group ${name}?`}
                label="Delete"
                act={async () => {
                  await ask(path, { method: 'DELETE', ifMatch: answer.tag });
                  toast(`group ${name} is deleted`);
                  go('/groups');
                }}
                close={close}
              >
                <p>
                  With it goes what it permits: to {users.length} {users.length === 1 ? 'member' : 'members'}, in{' '}
                  {dcs.join(', ') || 'no data center'}. Its members stay users. Images that it alone may use are for
                  administrators only from then on.
                </p>
              </Confirm>
            )}
          </Opens>
        )}
      </header>
      <div class="boxes">
        <section class="box">
          <h2>What its members may</h2>
          <p>In each data center below:</p>
          <Rights held={permissions} />
          {isSuper && (
            <ChangeOf
              path={path}
              answer={answer}
              refresh={refresh}
              fields={groupFields}
              from={groupWish}
              done={() => toast(`${name} is changed: it holds from the next request on`)}
            />
          )}
        </section>
        <GroupMembers answer={answer} refresh={refresh} mayChange={isSuper} />
        <section class="box">
          <h2>Data centers</h2>
          <Lines
            label="data centers"
            of={dcs}
            idOf={(dc) => dc}
            title={(dc) => <Link to={`/datacenters/${part(dc)}`}>{dc}</Link>}
            empty="It is attached to none, and gives nothing yet. Attach it on the page of a data center."
          />
        </section>
      </div>
    </article>
  );
}

import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Badge } from './badge.js';
import { Confirm } from './confirm.js';
import { Failure } from './failure.js';
import { Lines } from './lines.js';
import { Opens } from './open.js';
import { toast } from './toasts.js';
import { useEvery } from './use-every.js';
import { Time } from './words.js';

type Session = Results['ListSessions'][number];

/** Of sessions only SuperAdmins are told: all others ask again, in milliseconds. */
const AGAIN = 15_000;

const whereOf = (address: string) => address || 'an unknown address';

/** Where somebody is signed in. */
export function UserSessions({ user, isSelf }: { user: string; isSelf: boolean }) {
  const path = `/user/${part(user)}/session`;
  const { answer, failure, refresh, poll } = useAsked<Session[]>(path, { kinds: ['sessions', 'users'] });
  useEvery(AGAIN, poll);
  const end = async () => {
    const { result } = await ask<Results['EndSessions']>(path, { method: 'DELETE' });
    toast(`${user} is signed out everywhere: ${result.ended} ${result.ended === 1 ? 'session' : 'sessions'} ended`);
    refresh();
  };
  const endOne = async ({ id, address }: Session) => {
    await ask(`${path}/${part(id)}`, { method: 'DELETE' });
    toast(`${user} is signed out from ${whereOf(address)}`);
    refresh();
  };
  const count = answer?.result.length ?? 0;
  return (
    <section class="box">
      <h2>Signed in</h2>
      {failure && <Failure of={failure} again={refresh} />}
      <Lines
        label="sessions"
        of={answer?.result}
        idOf={({ id }) => id}
        title={({ address, current, made }) => (
          <>
            from {whereOf(address)} <span class="quiet">by {made}</span>{' '}
            {current && <Badge text="this one" tone="good" />}
          </>
        )}
        details={({ created, expires, last_used: used, user_agent: agent }) => (
          <>
            since <Time at={created} />, used <Time at={used} />, ends <Time at={expires} />
            {agent && <div>{agent}</div>}
          </>
        )}
        actions={(session) => (
          <Opens label="Sign out …" of={`from ${whereOf(session.address)}`}>
            {(close) => (
              <Confirm
                title={`Sign ${user} out from ${whereOf(session.address)}?`}
                label="Sign out"
                act={() => endOne(session)}
                close={close}
              >
                <p>
                  That session ends at once{session.current && ': it is this one'}. The others, and tokens and keys,
                  stay good.
                </p>
              </Confirm>
            )}
          </Opens>
        )}
        empty="Nowhere."
      />
      <Opens label="Sign out everywhere …" reason={count === 0 ? 'there is no session' : undefined}>
        {(close) => (
          <Confirm title={`Sign ${user} out everywhere?`} label="Sign out everywhere" act={end} close={close}>
            <p>
              {count} {count === 1 ? 'session ends' : 'sessions end'} at once
              {isSelf && ', this one too if it is among them'}. Tokens and keys stay good.
            </p>
          </Confirm>
        )}
      </Opens>
    </section>
  );
}

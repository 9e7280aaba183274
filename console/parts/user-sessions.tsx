import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Badge } from './badge.js';
import { Confirm } from './confirm.js';
import { Failure } from './failure.js';
import { Lines } from './lines.js';
import { Opens } from './open.js';
import { toast } from './toasts.js';
import { Time } from './words.js';

type Session = Results['ListSessions'][number] & { made?: string; user_agent?: string };

/** Where somebody is signed in. */
export function UserSessions({ user, isSelf }: { user: string; isSelf: boolean }) {
  const path = `/user/${part(user)}/session`;
  const { answer, failure, refresh } = useAsked<Session[]>(path, { kinds: ['sessions', 'users'] });
  const end = async () => {
    const { result } = await ask<Results['EndSessions']>(path, { method: 'DELETE' });
    toast(`${user} is signed out everywhere: ${result.ended} ${result.ended === 1 ? 'session' : 'sessions'} ended`);
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
        idOf={({ created, address }) => `${created} ${address}`}
        title={({ address, current, made }) => (
          <>
            from {address || 'an unknown address'} {made && <span class="quiet">by {made}</span>}{' '}
            {current && <Badge text="this one" tone="good" />}
          </>
        )}
        details={({ created, expires, last_used: used, user_agent: agent }) => (
          <>
            since <Time at={created} />, used <Time at={used} />, ends <Time at={expires} />
            {agent && <div>{agent}</div>}
          </>
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

import { useAsked } from '../api/use-asked.js';
import { Badge } from './badge.js';
import { Failure } from './failure.js';
import { Lines } from './lines.js';
import { Opens } from './open.js';
import { TokenMake } from './token-make.js';
import { type Token, TokenRevoke } from './token-revoke.js';
import { Time } from './words.js';

/** The tokens of somebody, without what they are. */
export function UserTokens({ user }: { user: string }) {
  const { answer, failure, refresh } = useAsked<Token[]>('/token', { query: { user }, kinds: ['tokens'] });
  return (
    <section class="box">
      <h2>Tokens</h2>
      {failure && <Failure of={failure} again={refresh} />}
      <Lines
        label="tokens"
        of={answer?.result}
        idOf={({ name }) => name}
        title={({ name, scope, dc, expired }) => (
          <>
            {name}{' '}
            <span class="quiet">
              {scope}
              {dc && ` in ${dc} only`}
            </span>{' '}
            {expired && <Badge text="expired" tone="bad" />}
          </>
        )}
        details={({ expires, last_used: used }) => (
          <>
            ends <Time at={expires ?? null} />, used <Time at={used} />
          </>
        )}
        actions={(token) => <TokenRevoke token={token} done={refresh} />}
        empty="None."
      />
      <Opens label="Make a token …">{(close) => <TokenMake user={user} close={close} done={refresh} />}</Opens>
    </section>
  );
}

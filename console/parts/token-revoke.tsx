import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Confirm } from './confirm.js';
import { Opens } from './open.js';
import { toast } from './toasts.js';

export type Token = Results['GetToken'] & { etag?: string };

/** Takes a token from whoever has it. */
export const TokenRevoke = ({ token: { name, user, etag }, done }: { token: Token; done: () => void }) => (
  <Opens label="Revoke …" of={`${name} of ${user}`}>
    {(close) => (
      <Confirm
        title={`Revoke the token ${name} of ${user}?`}
        label="Revoke"
        act={async () => {
          await ask(`/token/${part(name)}`, { method: 'DELETE', query: { user }, ifMatch: etag });
          toast(`the token ${name} of ${user} is revoked`);
          done();
        }}
        close={close}
      >
        <p>From the next request on, nobody gets in with it.</p>
      </Confirm>
    )}
  </Opens>
);

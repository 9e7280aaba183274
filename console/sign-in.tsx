import { useState } from 'preact/hooks';
import { useAsked } from './api/use-asked.js';
import { prefix } from './base.js';
import { Dialog } from './parts/dialog.js';
import { Form } from './parts/form.js';
import { type Account, signIn, type Ways } from './session.js';

interface Props {
  /** Who was signed in, where a session has ended in the middle of something. */
  last?: Account | undefined;
  enter: (account: Account) => void;
}

export function SignIn({ last, enter }: Props) {
  const ways = useAsked<Ways>('/session/ways').answer?.result;
  const [byToken, setByToken] = useState(false);
  const openid = ways?.openid;
  const to = `?to=${encodeURIComponent(location.pathname + location.search)}`;
  return (
    <Dialog title={last ? 'Your session has ended' : 'Sign in to Slipway'} close={() => {}} isLasting>
      {last && <p>Sign in again and go on: what you have typed is kept.</p>}
      {openid && (
        <p>
          <a class="button main" href={`${prefix}${openid.start}${to}`}>
            {openid.label}
          </a>
        </p>
      )}
      {byToken ? (
        <Form
          key="token"
          name="sign-in-token"
          fields={[{ name: 'token', label: 'Token', kind: 'password', isRequired: true }]}
          initial={{ token: '' }}
          submit={async (proof) => enter(await signIn(proof))}
          label="Sign in"
        />
      ) : (
        <Form
          key="password"
          name="sign-in"
          fields={[
            { name: 'username', label: 'User', isRequired: true, autocomplete: 'username' },
            {
              name: 'password',
              label: 'Password',
              kind: 'password',
              isRequired: true,
              autocomplete: 'current-password',
            },
          ]}
          initial={{ username: last?.name ?? '', password: '' }}
          submit={async (proof) => enter(await signIn(proof))}
          label="Sign in"
        />
      )}
      <p>
        <button type="button" class="plain link" onClick={() => setByToken(!byToken)}>
          {byToken ? 'Sign in with a password' : 'Sign in with a token'}
        </button>
      </p>
    </Dialog>
  );
}

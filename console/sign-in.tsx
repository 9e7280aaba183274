import { useEffect, useState } from 'preact/hooks';
import { useAsked } from './api/use-asked.js';
import { prefix } from './base.js';
import { Dialog } from './parts/dialog.js';
import { Failure } from './parts/failure.js';
import { Form } from './parts/form.js';
import { type Account, signIn, type Ways } from './session.js';

interface Props {
  /** Who was signed in, where a session has ended in the middle of something. */
  last?: Account | undefined;
  enter: (account: Account) => void;
}

/** What a way back from the issuer has brought: the server has the words for it. It is told once. */
function useError(): string | undefined {
  const [error] = useState(() => new URLSearchParams(location.search).get('error') ?? undefined);
  useEffect(() => {
    if (error !== undefined) history.replaceState(null, '', location.pathname);
  }, [error]);
  return error;
}

export function SignIn({ last, enter }: Props) {
  const error = useError();
  const { answer, failure, refresh } = useAsked<Ways>('/session/ways', { query: { error } });
  const { openid, problem, password: hasPassword = true } = answer?.result ?? {};
  const [isChosen, setChosen] = useState(false);
  const byToken = isChosen || !hasPassword;
  const to = `?to=${encodeURIComponent(location.pathname + (error === undefined ? location.search : ''))}`;
  // Who it is stands there already where a session has ended.
  const first = byToken ? 'token' : last ? 'password' : 'username';
  useEffect(() => document.querySelector<HTMLElement>(`dialog.alone [name=${first}]`)?.focus(), [first]);
  return (
    <Dialog title={last ? 'Your session has ended' : 'Sign in to Slipway'} close={() => {}} isLasting isAlone>
      {last && <p>Sign in again and go on: what you have typed is kept.</p>}
      {failure && <Failure of={failure} again={refresh} />}
      {problem && (
        <p class="failure" role="alert">
          {problem}
        </p>
      )}
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
          fields={[
            {
              name: 'token',
              label: 'Token',
              kind: 'password',
              hint: 'that of the first administrator is in data/admin-token, where the server runs',
              isRequired: true,
            },
          ]}
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
      {hasPassword && (
        <p>
          <button type="button" class="plain link" onClick={() => setChosen(!isChosen)}>
            {byToken ? 'Sign in with a password' : 'Sign in with a token'}
          </button>
        </p>
      )}
    </Dialog>
  );
}

import { useState } from 'preact/hooks';
import { ask } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Confirm } from './confirm.js';
import { Once } from './once.js';
import { Opens } from './open.js';

/** The key that signs what the server calls back with when a task has ended. */
export const CallbackKey = () => (
  <section class="box">
    <h2>Callback key</h2>
    <p class="quiet">
      It signs the calls that the server makes to the cb_url of your tasks, so that the other side knows who calls.
    </p>
    <Opens label="Make a new key …">{(close) => <New close={close} />}</Opens>
  </section>
);

function New({ close }: { close: () => void }) {
  const [key, setKey] = useState<string>();
  if (key !== undefined) {
    return (
      <Once
        title="Your callback key"
        secret={key}
        words="The other side checks the signature of each call with it."
        close={close}
      />
    );
  }
  return (
    <Confirm
      title="Make a new callback key?"
      label="Make it"
      act={async () =>
        setKey((await ask<Results['MakeCallbackKey']>('/account/callback-key', { method: 'PUT' })).result.key)
      }
      close={close}
      isStaying
    >
      <p>
        The old key no longer works: whoever checks signatures with it takes no call for genuine until it has the new
        one.
      </p>
    </Confirm>
  );
}

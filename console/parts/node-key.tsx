import { useState } from 'preact/hooks';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Command } from './copy.js';
import { Dialog } from './dialog.js';
import { Failure } from './failure.js';
import { Search } from './search.js';

/** What lets this server in, to be taken to the nodes. */
export function NodeKey({ close }: { close: () => void }) {
  const [from, setFrom] = useState('');
  const [isJump, setJump] = useState(false);
  const { answer, failure } = useAsked<Results['GetNodeKey']>('/nodekey', {
    query: { ...(from !== '' && { from }), ...(isJump && { jump: true }) },
  });
  return (
    <Dialog title="The key of this server" close={close}>
      <p>A node lets this server in that has this line in its authorized_keys:</p>
      {failure && <Failure of={failure} />}
      {answer && <Command line={answer.result.line} what="the line of authorized_keys" />}
      <p class="field">
        <Search value={from} change={setFrom} label="good from these addresses only" />
        <small class="hint">where this server comes from: addresses, networks or names, with commas</small>
      </p>
      <p class="field check">
        <label for="node-key-jump">Other nodes are reached through the node</label>
        <input
          id="node-key-jump"
          type="checkbox"
          checked={isJump}
          onChange={(event) => setJump(event.currentTarget.checked)}
        />
      </p>
      {answer && (
        <details>
          <summary>The bare public key</summary>
          <Command line={answer.result.public_key} what="the public key" />
        </details>
      )}
    </Dialog>
  );
}

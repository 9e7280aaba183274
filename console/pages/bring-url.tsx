import { type Answer, part } from '../api/ask.js';
import { BringFrame } from '../parts/bring-frame.js';
import { Brought, taskOf, useBroughtBy } from '../parts/brought.js';
import { ImportFile } from '../parts/import-file.js';
import { ImportManifest } from '../parts/import-manifest.js';
import { go, useQuery } from '../router.js';

const FILE = 'file';

/** An image by the address of its manifest, or of a file that has none. */
export default function BringUrl() {
  const [task, setTask] = useBroughtBy();
  const [of, setOf] = useQuery('of');
  const isBare = of === FILE;
  const begun = (answer: Answer<unknown>) => {
    const task = taskOf(answer);
    if (task !== undefined) setTask(task);
    else go(`/image/${part((answer.result as { uuid: string }).uuid)}`);
  };
  return (
    <BringFrame path="/bring/url">
      {task ? (
        <Brought task={task} again={() => setTask('')} />
      ) : (
        <div class="narrow">
          <fieldset class="ways plain" aria-label="what is at the address">
            <button type="button" aria-pressed={!isBare} onClick={() => setOf('')}>
              A manifest
            </button>
            <button type="button" aria-pressed={isBare} onClick={() => setOf(FILE)}>
              A bare file
            </button>
          </fieldset>
          {isBare ? <ImportFile begun={begun} /> : <ImportManifest begun={begun} />}
        </div>
      )}
    </BringFrame>
  );
}

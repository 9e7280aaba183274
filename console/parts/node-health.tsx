import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Act } from './act.js';
import { Failure } from './failure.js';
import { Findings } from './findings.js';
import type { Node } from './node-words.js';

/** Whether it can be worked with, looked at now. */
export function NodeHealth({ node: { name } }: { node: Node }) {
  const { answer, failure, isLoading, refresh } = useAsked<Results['CheckNode']>(`/node/${part(name)}/check`);
  const result = answer?.result;
  return (
    <section>
      <div class="heads">
        <p role="status">
          {isLoading
            ? 'The node is being looked at …'
            : result &&
              (result.failed === null ? 'It can be worked with.' : `It can not be worked with: ${result.failed}`)}
        </p>
        <Act label="Look again" reason={isLoading ? 'it is being looked at' : undefined} act={refresh} />
      </div>
      {failure && <Failure of={failure} again={refresh} />}
      {result && (
        <Findings
          label={`what was found of ${name}`}
          all={result.checks.map(({ check, ok, found, advice }) => ({ name: check, ok, found, advice }))}
        />
      )}
    </section>
  );
}

import { inVain, rightsIn } from './rights-words.js';

/** What permissions mean in a data center. */
export function Rights({ held }: { held: readonly string[] }) {
  const vain = inVain(held);
  return (
    <>
      <ul>
        {rightsIn(held).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
      {vain.length > 0 && <p class="error">without admin, {vain.join(' and ')} gives nothing</p>}
    </>
  );
}

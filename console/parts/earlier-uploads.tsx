import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Act } from './act.js';
import { keptUploads } from './upload-kept.js';
import { discard } from './use-uploads.js';
import { bytes, Time } from './words.js';

type Listed = Results['ListUploads'][number];

/** What was begun in this browser and has not come to its end. The file itself has to be chosen again. */
export function EarlierUploads({ user }: { user: string }) {
  const { answer, refresh } = useAsked<Listed[]>('/upload', { query: { full: true, limit: 1000 } });
  const kept = keptUploads(user);
  const found = (answer?.result ?? []).flatMap((upload) => {
    const mine = kept.find(({ id }) => id === upload.id);
    return mine && upload.status !== 'attached' ? [{ ...upload, mine }] : [];
  });
  if (found.length === 0) return null;
  return (
    <section class="box" aria-label="begun earlier">
      <h2>Begun earlier</h2>
      <p class="quiet">Choose the same file again to go on with it.</p>
      <ul class="lines">
        {found.map(({ id, offset, size, expires, mine: { title, filename } }) => (
          <li key={id}>
            <span>
              {title} <span class="quiet">{filename}</span>: {bytes(offset)} of {bytes(size)} are here; it ends{' '}
              <Time at={expires} />
            </span>
            <Act label="Discard" what={title} act={() => discard(id).then(refresh)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

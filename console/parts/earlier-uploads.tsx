import { useState } from 'preact/hooks';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { ChooseFiles } from './choose-files.js';
import { Confirm } from './confirm.js';
import { Opens } from './open.js';
import { type KeptUpload, keptUploads, otherwise } from './upload-kept.js';
import { discard } from './use-uploads.js';
import { bytes, Time } from './words.js';

type Listed = Results['ListUploads'][number];

interface Props {
  user: string;
  goOn: (file: File, kept: KeptUpload) => void;
}

/** What was begun in this browser and has not come to its end. The file itself has to be chosen again. */
export function EarlierUploads({ user, goOn }: Props) {
  const [refused, setRefused] = useState<{ id: string; why: string }>();
  const { answer, refresh } = useAsked<Listed[]>('/upload', { query: { full: true, limit: 1000 } });
  const kept = keptUploads(user);
  const found = (answer?.result ?? []).flatMap((upload) => {
    const mine = kept.find(({ id }) => id === upload.id);
    return mine && upload.status !== 'attached' ? [{ ...upload, mine }] : [];
  });
  if (found.length === 0) return null;
  const take = (mine: KeptUpload, file: File | undefined) => {
    const why = file && otherwise(mine, file);
    if (why !== undefined) setRefused({ id: mine.id, why });
    else if (file) goOn(file, mine);
  };
  return (
    <section class="box" aria-label="begun earlier">
      <h2>Begun earlier</h2>
      <p class="quiet">Choose the same file again to go on with it.</p>
      <ul class="lines">
        {found.map(({ id, offset, size, expires, mine }) => (
          <li key={id}>
            <span>
              {mine.title} <span class="quiet">{mine.filename}</span>: {bytes(offset)} of {bytes(size)} are here; it
              ends <Time at={expires} />
              {refused?.id === id && (
                <span class="error" role="alert">
                  {' '}
                  That is another file: {refused.why}.
                </span>
              )}
            </span>
            <ChooseFiles label="Choose the file …" of={mine.title} take={([file]) => take(mine, file)} />
            <Opens label="Discard …" of={mine.title}>
              {(close) => (
                <Confirm
                  title={`Discard the upload of ${mine.title}`}
                  label="Discard it"
                  act={() => discard(id).then(refresh)}
                  close={close}
                >
                  <p>What has arrived of it is thrown away. The image stays, and waits for another file.</p>
                </Confirm>
              )}
            </Opens>
          </li>
        ))}
      </ul>
    </section>
  );
}

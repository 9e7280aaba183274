import { useId, useState } from 'preact/hooks';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Failure } from './failure.js';
import { ImageBadges } from './image-words.js';
import { Search } from './search.js';

export type Image = Results['GetManagedImage'];

interface Props {
  chosen: Image | undefined;
  choose: (image: Image) => void;
  /** Why an image can not be chosen. */
  reasonOf?: (image: Image) => string | undefined;
}

/** So many are shown; the others are found by their names. */
const MOST = 50;

/** One of the images of the server. */
export function ImagePicker({ chosen, choose, reasonOf = () => undefined }: Props) {
  const [search, setSearch] = useState('');
  const group = useId();
  const { answer, failure, refresh } = useAsked<Image[]>('/image', {
    query: { full: true, search, order_by: 'alias', limit: MOST },
    kinds: ['images', 'datacenters'],
    concerns: ({ action }) => action !== 'progress',
  });
  const { result: images = [], total = 0 } = answer ?? {};
  return (
    <>
      <Search value={search} change={setSearch} label="Search images" />
      {failure && <Failure of={failure} again={refresh} />}
      <fieldset class="picker">
        <legend class="unseen">Image</legend>
        {images.map((image) => {
          const reason = reasonOf(image);
          return (
            <label key={image.uuid}>
              <input
                type="radio"
                name={group}
                checked={chosen?.uuid === image.uuid}
                disabled={reason !== undefined}
                onChange={() => choose(image)}
              />
              <span>
                {image.name} <span class="quiet">{image.version}</span> <ImageBadges image={image} />
                {reason !== undefined && <small class="quiet"> {reason}</small>}
              </span>
            </label>
          );
        })}
        {answer && images.length === 0 && <p class="hint">No image is called like that.</p>}
        {total > images.length && <p class="hint">and {total - images.length} more: search for them</p>}
      </fieldset>
    </>
  );
}

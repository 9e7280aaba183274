import { useEffect, useRef } from 'preact/hooks';
import { part } from '../api/ask.js';
import type { PageProps } from '../pages.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { Failure } from '../parts/failure.js';
import { ImageActions } from '../parts/image-actions.js';
import { ChangeImageButton } from '../parts/image-change.js';
import { Facts } from '../parts/image-facts.js';
import { Files } from '../parts/image-files.js';
import { History } from '../parts/image-history.js';
import { Lineage } from '../parts/image-lineage.js';
import { Machines } from '../parts/image-machines.js';
import { ImageForMembers } from '../parts/image-of-member.js';
import { Places } from '../parts/image-places.js';
import { Provenance } from '../parts/image-provenance.js';
import { Pull } from '../parts/image-pull.js';
import { Unready, WhyDeprecated } from '../parts/image-ready.js';
import { Sharing } from '../parts/image-sharing.js';
import { ImageBadges } from '../parts/image-words.js';
import { LabelMark } from '../parts/label.js';
import { Rename } from '../parts/rename.js';
import { type Image, useImage } from '../parts/use-image.js';
import { Link, useQuery } from '../router.js';
import '../style/image.css';

export default function ImagePage({ params: { name = '' } }: PageProps) {
  const found = useImage(name);
  // What it was called, for those who saw it go.
  const called = useRef<string | undefined>(undefined);
  if (found.is === 'image') called.current = found.image.alias;
  if (found.is === 'manifest') called.current = String(found.told.manifest.name);
  const title = called.current;
  useEffect(() => {
    if (title !== undefined) document.title = `${title} · Slipway`;
  }, [title]);

  if (found.is === 'image') return <Whole image={found.image} refresh={found.refresh} />;
  if (found.is === 'manifest') return <ImageForMembers told={found.told} />;
  if (found.is === 'nowhere') return <Nowhere name={title ?? name} wasHere={title !== undefined} />;
  if (found.is === 'ambiguous') return <Several name={name} words={found.failure.message} />;
  if (found.is === 'away') return <Failure of={found.failure} again={found.refresh} />;
  return <p class="loading">loading …</p>;
}

function Whole({ image, refresh }: { image: Image; refresh: () => void }) {
  return (
    <article class="image">
      <div class="heading">
        <h1>
          <LabelMark image={image} />{' '}
          <span class={image.deprecated ? 'struck' : ''}>
            <Rename image={image} /> <bdi class="quiet">{image.version}</bdi>
          </span>
        </h1>
        <ChangeImageButton image={image} refresh={refresh} />
        <ImageActions image={image} refresh={refresh} beside="update" />
      </div>
      <p>
        <ImageBadges image={image} />
      </p>
      <Unready image={image} />
      <WhyDeprecated image={image} />
      <div class="boxes loose">
        <Facts image={image} />
        <Pull
          uuid={image.uuid}
          name={image.alias}
          version={image.version}
          hasFile={image.files.length > 0}
          isReady={image.ready}
        />
        <Sharing image={image} />
        <Places image={image} />
        <Files files={image.files} uuid={image.uuid} />
        <Provenance image={image} />
        <Lineage image={image} />
      </div>
      <Machines image={image} />
      <History image={image} />
    </article>
  );
}

/** Deleted while somebody looked, or never there, or not for this one: which of them is not for everybody to know. */
function Nowhere({ name, wasHere }: { name: string; wasHere: boolean }) {
  return (
    <section>
      <h1>{wasHere ? 'This image is gone' : 'There is no such image'}</h1>
      <div class="failure" role="alert">
        <p>
          <strong>
            <bdi>{name}</bdi>
          </strong>{' '}
          {wasHere
            ? 'has been deleted, or you may not see it any more.'
            : 'is the name of no image that you see: it may have been deleted, or be of a data center that is not yours.'}
        </p>
      </div>
      <p>
        <Link to="/">Go to the images</Link>
      </p>
    </section>
  );
}

function Several({ name, words }: { name: string; words: string }) {
  const names = useDatacenterNames();
  const [, setDc] = useQuery('dc');
  return (
    <section>
      <h1>
        Which <bdi>{name}</bdi>?
      </h1>
      <p>{words}</p>
      <ul class="lines" aria-label="data centers">
        {names.map((dc) => (
          <li key={dc}>
            <a
              href={`?dc=${part(dc)}`}
              onClick={(event) => {
                event.preventDefault();
                setDc(dc);
              }}
            >
              the one of {dc}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

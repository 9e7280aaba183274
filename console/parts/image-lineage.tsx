import type { ComponentChildren } from 'preact';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Link } from '../router.js';
import { Badge } from './badge.js';
import { Failure } from './failure.js';

type Told = Results['GetImageLineage'];
type Relative = Told['descendants'][number];

interface Props {
  image: { uuid: string; alias: string; version: string };
}

/** What it comes from and what comes from it, as a tree: whatever stands below is built on what stands above. */
export function Lineage({ image }: Props) {
  const { answer, failure, refresh } = useAsked<Told>(`/image/${part(image.uuid)}/lineage`, { kinds: ['images'] });
  return (
    <section class="box">
      <h2>Its lineage</h2>
      {!answer && !failure && <p class="loading">loading …</p>}
      {failure && <Failure of={failure} again={refresh} />}
      {answer && <Tree image={image} told={answer.result} />}
    </section>
  );
}

function Tree({ image, told: { origins, descendants, more } }: Props & { told: Told }) {
  const built = new Map<string | null, Relative[]>();
  for (const one of descendants) built.set(one.origin, [...(built.get(one.origin) ?? []), one]);
  const own = (
    <li key={image.uuid}>
      <span class="node own" aria-current="true">
        <bdi>{image.alias}</bdi> <bdi class="quiet">{image.version}</bdi> <span class="quiet">this image</span>
      </span>
      <Below of={image.uuid} built={built} />
    </li>
  );
  // The nearest is told first: each takes into itself what was made before it.
  const tree = origins.reduce<ComponentChildren>(
    (below, { uuid, image }) => (
      <li key={uuid}>
        {image ? <One image={image} /> : <Unseen uuid={uuid} />}
        <ul>{below}</ul>
      </li>
    ),
    own,
  );
  return (
    <>
      <p class="hint">{wordsOf(origins.length, descendants.length, more)}</p>
      <div
        class="lineage"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
        tabIndex={0}
      >
        <ul aria-label="lineage">{tree}</ul>
      </div>
    </>
  );
}

const images = (count: number) => (count === 1 ? '1 image' : `${count} images`);

function wordsOf(origins: number, descendants: number, more: boolean): string {
  const up = origins === 0 ? 'It is built on no other image' : `It is built on ${images(origins)}`;
  const down = descendants === 0 ? 'none that you see is built on it' : `${images(descendants)} on it`;
  return `${up}, ${down}${more ? ', and there are more' : ''}.`;
}

interface BelowProps {
  of: string;
  /** By what each is built on. */
  built: ReadonlyMap<string | null, readonly Relative[]>;
}

function Below({ of, built }: BelowProps) {
  const own = built.get(of);
  if (!own) return null;
  return (
    <ul>
      {own.map((image) => (
        <li key={image.uuid}>
          <One image={image} />
          <Below of={image.uuid} built={built} />
        </li>
      ))}
    </ul>
  );
}

const RETIRED = 4;

const One = ({ image: { uuid, alias, version, state, access } }: { image: Relative }) => (
  <span class="node">
    <Link to={`/image/${part(uuid)}`}>
      <bdi>{alias}</bdi>
    </Link>{' '}
    <bdi class="quiet">{version}</bdi>{' '}
    {access === RETIRED ? (
      <Badge text="retired" tone="bad" />
    ) : (
      state !== 'active' && <Badge text={state} tone="warn" />
    )}
  </span>
);

const Unseen = ({ uuid }: { uuid: string }) => (
  <span class="node">
    <code>{uuid}</code> <span class="quiet">not here, or not for you to see</span>
  </span>
);

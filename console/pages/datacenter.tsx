import { useState } from 'preact/hooks';
import { type Answer, ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { type Asked, useAsked } from '../api/use-asked.js';
import type { PageProps } from '../pages.js';
import { Change } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { useDatacenterFields, wishFrom } from '../parts/datacenter-form.js';
import { DatacenterGroups } from '../parts/datacenter-groups.js';
import { DatacenterImages } from '../parts/datacenter-images.js';
import { Dialog } from '../parts/dialog.js';
import { Failure } from '../parts/failure.js';
import { Lines } from '../parts/lines.js';
import { Opens } from '../parts/open.js';
import { Settings } from '../parts/settings.js';
import { type Tab, Tabs } from '../parts/tabs.js';
import { toast } from '../parts/toasts.js';
import { Time } from '../parts/words.js';
import { go, Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

type Datacenter = Results['GetDatacenter'];

export default function DatacenterPage({ params: { name = '' } }: PageProps) {
  const { super_admin: isSuper } = useAccount();
  const path = `/dc/${part(name)}`;
  const kinds = ['datacenters', 'repositories'];
  const { answer, failure, refresh } = useAsked<Datacenter>(path, { kinds });
  const settings = useAsked<Results['GetSettings']>(`${path}/settings`, { query: { full: true }, kinds });
  const [tab] = useQuery('tab');
  const [released, setReleased] = useState<readonly string[]>();

  if (released) return <Released dc={name} images={released} />;
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const { alias } = answer.result;
  const isOfImages = tab === 'images';
  return (
    <article>
      <header class="heading">
        <h1>
          {name} {alias !== name && <span class="quiet">{alias}</span>}
        </h1>
        {isSuper && (
          <>
            <Opens label="Change …" title={`Change ${name}`}>
              {(close) => <ChangeIt path={path} close={close} />}
            </Opens>
            <Opens label="Delete …" isGrave reason={name === 'main' ? 'main is always there' : undefined}>
              {(close) => <Delete dc={name} tag={answer.tag} close={close} done={setReleased} />}
            </Opens>
          </>
        )}
      </header>
      <Tabs
        label={`of data center ${name}`}
        tabs={tabs}
        current={isOfImages ? 'images' : 'about'}
        to={(tab) => `/datacenters/${part(name)}?tab=${tab}`}
      />
      {isOfImages ? (
        <DatacenterImages dc={name} mayChange={isSuper} />
      ) : (
        <About of={answer.result} settings={settings} mayChange={isSuper} />
      )}
    </article>
  );
}

const tabs: readonly Tab[] = [
  { name: 'about', title: 'Overview' },
  { name: 'images', title: 'Its images' },
];

interface AboutProps {
  of: Datacenter;
  settings: Asked<Results['GetSettings']>;
  mayChange: boolean;
}

function About({ of: { name, owner, location, description, created }, settings, mayChange }: AboutProps) {
  return (
    <>
      <div class="boxes">
        <section class="box">
          <h2>What it is</h2>
          <dl class="facts">
            <dt>Owner</dt>
            <dd>{owner}, who administers it</dd>
            <dt>Location</dt>
            <dd>{location || 'not said'}</dd>
            <dt>Description</dt>
            <dd>{description || 'none'}</dd>
            <dt>Created</dt>
            <dd>
              <Time at={created} />
            </dd>
          </dl>
        </section>
        <Images dc={name} limit={settings.answer?.result.VMS_IMAGE_LIMIT ?? null} />
        <DatacenterGroups dc={name} mayChange={mayChange} />
      </div>
      <h2 class="part">Settings</h2>
      <Settings dc={name} asked={settings} mayChange={mayChange} />
    </>
  );
}

function ChangeIt({ path, close }: { path: string; close: () => void }) {
  const fields = useDatacenterFields(false);
  return (
    <Change
      path={path}
      kinds={['datacenters']}
      fields={fields}
      from={wishFrom}
      done={() => {
        toast('changed');
        close();
      }}
      cancel={close}
    />
  );
}

type Image = Results['GetManagedImage'];

/** All that are bound to a data center are attached to it. */
const useBound = (dc: string) =>
  useAsked<Image[]>(`/dc/${part(dc)}/image`, {
    query: { full: true, deleted: true },
    kinds: ['images', 'datacenters'],
    concerns: ({ action }) => action !== 'progress',
  });

function Images({ dc, limit }: { dc: string; limit: number | null }) {
  const { answer, failure } = useAsked<string[]>(`/dc/${part(dc)}/image`, {
    query: { limit: 0 },
    kinds: ['images', 'datacenters'],
    concerns: ({ action }) => action !== 'progress',
  });
  return (
    <section class="box">
      <h2>Images</h2>
      {failure && <Failure of={failure} />}
      {answer && (
        <p>
          <Link to={`/datacenters/${part(dc)}?tab=images`}>
            {answer.total} {answer.total === 1 ? 'image' : 'images'}
          </Link>{' '}
          {limit !== null && <span class="quiet">at most {limit} can be bound to it</span>}
        </p>
      )}
    </section>
  );
}

interface DeleteProps {
  dc: string;
  tag: string | undefined;
  close: () => void;
  done: (released: readonly string[]) => void;
}

/** Says first what becomes of its images. */
function Delete({ dc, tag, close, done }: DeleteProps) {
  const { answer, failure } = useBound(dc);
  if (failure) return <Told title={`Delete ${dc}?`} failure={failure} close={close} />;
  const bound = answer?.result.filter(({ dc_bound }) => dc_bound) ?? [];
  const act = async () => {
    const { result }: Answer<Results['DeleteDatacenter']> = await ask(`/dc/${part(dc)}`, {
      method: 'DELETE',
      ifMatch: tag,
    });
    done(result.released);
  };
  return (
    <Confirm title={`Delete data center ${dc}?`} label="Delete" typed={dc} act={act} close={close}>
      {!answer && <p class="loading">looking for its images …</p>}
      {answer && (
        <p>
          No image is deleted.{' '}
          {bound.length === 0
            ? 'None is bound to it.'
            : `${bound.length} ${bound.length === 1 ? 'image is' : 'images are'} bound to it, and will be shared: only SuperAdmins can change them then.`}
        </p>
      )}
      <ul>
        {bound.slice(0, MOST).map(({ name }) => (
          <li key={name}>{name}</li>
        ))}
        {bound.length > MOST && <li>and {bound.length - MOST} more</li>}
      </ul>
      <p>Groups lose what they give in it.</p>
    </Confirm>
  );
}

const MOST = 10;

const Told = ({ title, failure, close }: { title: string; failure: Error; close: () => void }) => (
  <Dialog title={title} close={close}>
    <p class="error">{failure.message}</p>
  </Dialog>
);

function Released({ dc, images }: { dc: string; images: readonly string[] }) {
  return (
    <section>
      <h1>Data center {dc} is deleted</h1>
      {images.length > 0 && <p>These images were bound to it, and are shared from now on:</p>}
      <Lines
        label="images"
        of={images}
        idOf={(image) => image}
        title={(image) => <Link to={`/image/${part(image)}`}>{image}</Link>}
        empty="No image was bound to it."
      />
      <button type="button" onClick={() => go('/datacenters')}>
        To the data centers
      </button>
    </section>
  );
}

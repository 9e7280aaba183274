import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { Badge } from './badge.js';
import { Copy } from './copy.js';
import { Deprecated } from './deprecated.js';
import { Fact } from './fact.js';
import { type File, Files } from './image-files.js';
import { Lineage } from './image-lineage.js';
import { Pull } from './image-pull.js';
import type { Manifest } from './use-image.js';
import { WebLink } from './web-link.js';
import { bytes, Time } from './words.js';

/** What of a manifest is told here. */
interface Known {
  uuid: string;
  name: string;
  version: string;
  description?: string;
  homepage?: string;
  os: string;
  type: string;
  state: string;
  image_size?: number;
  published_at?: string;
  public: boolean;
  disabled: boolean;
  files?: readonly File[];
}

/** An image for those who use images and manage none: what IMGAPI tells them, too. */
export function ImageForMembers({ told }: { told: Manifest }) {
  const manifest = told.manifest as unknown as Known;
  const { uuid, name, version, description, homepage, os, type, state, image_size: size, files = [] } = manifest;
  return (
    <article class="image">
      <h1>
        <span class={told.deprecated ? 'struck' : ''}>
          <bdi>{name}</bdi> <bdi class="quiet">{version}</bdi>
        </span>
      </h1>
      <p class="badges">
        {state === 'active' ? (
          <Badge text="ready" tone="good" />
        ) : (
          <Badge text={state} tone="warn" title="no machine can be made of it now" />
        )}
      </p>
      {told.deprecated && (
        <Deprecated
          reason={told.deprecated.reason}
          instead={told.deprecated.replacement && <Replacement of={told.deprecated.replacement} />}
        />
      )}
      <div class="boxes loose">
        <section class="box">
          <h2>What it is</h2>
          <dl class="facts">
            <Fact name="Description">{description && <bdi>{description}</bdi>}</Fact>
            <Fact name="Homepage">{homepage && <WebLink to={homepage} />}</Fact>
            <Fact name="UUID">
              <code>{uuid}</code> <Copy text={uuid} what="the uuid" />
            </Fact>
            <Fact name="OS">{os}</Fact>
            <Fact name="Type">{type}</Fact>
            <Fact name="Disk">{size !== undefined && bytes(size * 2 ** 20)}</Fact>
            <Fact name="Access">{manifest.public ? 'public' : 'private, and shared with you'}</Fact>
            <Fact name="Published">
              <Time at={manifest.published_at ?? null} />
            </Fact>
          </dl>
        </section>
        <Pull uuid={uuid} name={name} version={version} hasFile={files.length > 0} isReady />
        <Files files={files} uuid={uuid} />
        <Lineage image={{ uuid, alias: name, version }} />
      </div>
    </article>
  );
}

function Replacement({ of: { uuid, name, version } }: { of: { uuid: string; name: string; version: string } }) {
  return (
    <Link to={`/image/${part(uuid)}`}>
      <bdi>
        {name} {version}
      </bdi>
    </Link>
  );
}

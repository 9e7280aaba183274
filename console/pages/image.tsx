import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { prefix } from '../base.js';
import type { PageProps } from '../pages.js';
import { Command, Copy } from '../parts/copy.js';
import { Failure } from '../parts/failure.js';
import { accessOf, ImageBadges, osOf } from '../parts/image-words.js';
import { LabelMark } from '../parts/label.js';
import { Rename } from '../parts/rename.js';
import { bytes, Time } from '../parts/words.js';
import { Link } from '../router.js';

type Image = Results['GetManagedImage'];

export default function ImagePage({ params: { name = '' } }: PageProps) {
  const { answer, failure, refresh } = useAsked<Image>(`/image/${part(name)}`, {
    query: { full: true },
    kinds: ['images', 'tasks'],
    concerns: ({ action }) => action !== 'progress',
  });
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const image = answer.result;
  return (
    <article>
      <h1>
        <LabelMark image={image} /> <Rename image={image} /> <span class="quiet">{image.version}</span>
      </h1>
      <p>
        <ImageBadges image={image} />
      </p>
      {!image.ready && (
        <p class="failure">
          <strong>It is not ready:</strong> {image.not_ready}
        </p>
      )}
      <div class="boxes">
        <Facts image={image} />
        <Files image={image} />
        <Pull image={image} />
        <Users image={image} />
      </div>
    </article>
  );
}

function Facts({ image }: { image: Image }) {
  const { uuid, owner, dcs, global, dc_bound: isBound, desc, homepage, tags, created, changed, published } = image;
  return (
    <section class="box">
      <h2>What it is</h2>
      <dl class="facts">
        <dt>Key</dt>
        <dd>{image.name}</dd>
        <dt>UUID</dt>
        <dd>
          <code>{uuid}</code> <Copy text={uuid} what="the uuid" />
        </dd>
        <dt>OS</dt>
        <dd>{osOf(image)}</dd>
        <dt>Type</dt>
        <dd>{image.type}</dd>
        <dt>Disk</dt>
        <dd>{image.size === 0 ? 'not said' : bytes(image.size * 2 ** 20)}</dd>
        <dt>Access</dt>
        <dd>{accessOf(image)}</dd>
        <dt>Owner</dt>
        <dd>{owner}</dd>
        <dt>Data centers</dt>
        <dd>
          {global ? 'all' : dcs.join(', ') || 'none'}
          {isBound && ' (bound to it)'}
        </dd>
        {tags.length > 0 && (
          <>
            <dt>Tags</dt>
            <dd>{tags.join(', ')}</dd>
          </>
        )}
        {desc && (
          <>
            <dt>Description</dt>
            <dd>{desc}</dd>
          </>
        )}
        {homepage && /^https?:/.test(homepage) && (
          <>
            <dt>Homepage</dt>
            <dd>
              <a href={homepage} rel="noreferrer noopener" target="_blank">
                {homepage}
              </a>
            </dd>
          </>
        )}
        <dt>Created</dt>
        <dd>
          <Time at={created} />
        </dd>
        <dt>Changed</dt>
        <dd>
          <Time at={changed} />
        </dd>
        <dt>Published</dt>
        <dd>
          <Time at={published} />
        </dd>
      </dl>
    </section>
  );
}

function Files({ image: { files, uuid } }: { image: Image }) {
  return (
    <section class="box">
      <h2>Its file</h2>
      {files.length === 0 && <p>It has none yet.</p>}
      {files.map(({ sha1, sha256, size, compression }) => (
        <dl key={sha1} class="facts">
          <dt>Size</dt>
          <dd>
            {bytes(size)}, {compression === 'none' ? 'not packed' : `packed with ${compression}`}{' '}
            <a href={`${prefix}/images/${uuid}/file`} download>
              download
            </a>
          </dd>
          <dt>SHA-1</dt>
          <dd>
            <code>{sha1}</code> <Copy text={sha1} what="the SHA-1" />
          </dd>
          <dt>SHA-256</dt>
          <dd>
            <code>{sha256}</code> <Copy text={sha256} what="the SHA-256" />
          </dd>
        </dl>
      ))}
    </section>
  );
}

function Pull({ image: { uuid, name } }: { image: Image }) {
  const url = location.origin + prefix;
  return (
    <section class="box">
      <h2>How to pull it</h2>
      <p>On a node:</p>
      <Command line={`imgadm import -S ${url} ${uuid}`} what="the command for a node" />
      <p>With the command line:</p>
      <Command line={`slipway download ${name} --url ${url}`} what="the command line" />
      <p>With curl:</p>
      <Command line={`curl -fO ${url}/images/${uuid}/file`} what="the command for curl" />
    </section>
  );
}

type Machine = Results['GetMachine'];

function Users({ image: { name, vms } }: { image: Image }) {
  const { answer, failure } = useAsked<Machine[]>(`/image/${part(name)}/vm`, {
    query: { full: true, limit: 100 },
    kinds: ['vms', 'images'],
  });
  return (
    <section class="box">
      <h2>Who uses it</h2>
      {failure && <Failure of={failure} />}
      {vms === 0 && <p>No machine that you can see.</p>}
      <ul>
        {answer?.result.map(({ uuid, hostname, dc, node, state }) => (
          <li key={uuid}>
            {hostname} <span class="quiet">{[state, dc, node].filter(Boolean).join(', ')}</span>
          </li>
        ))}
      </ul>
      {vms > 100 && <p>and {vms - 100} more</p>}
      <p>
        <Link to="/tasks">What is being done</Link>
      </p>
    </section>
  );
}

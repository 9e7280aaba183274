import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { Copy } from './copy.js';
import { osOf } from './image-words.js';
import type { ReadManifest } from './use-manifest.js';
import { bytes, Time } from './words.js';

/** What would come, as far as its manifest tells. */
export function ManifestTold({ manifest }: { manifest: ReadManifest }) {
  const { uuid, name, version, desc, size, created, state, builds_on: below, registered, taken } = manifest;
  const download = manifest.download_size === 0 ? 'not said' : bytes(manifest.download_size);
  return (
    <section class="box told" aria-label="what its manifest says">
      <h2>
        {name} <span class="quiet">{version}</span>
      </h2>
      {taken !== null && (
        <p class="error" role="status">
          It can not be imported: {taken}. {registered && <Link to={`/image/${part(uuid)}`}>Look at what is here</Link>}
        </p>
      )}
      <dl class="facts">
        <dt>UUID</dt>
        <dd>
          <code>{uuid}</code> <Copy text={uuid} what="the uuid" />
        </dd>
        <dt>OS</dt>
        <dd>
          {osOf(manifest)}, {manifest.type}
        </dd>
        <dt>Download</dt>
        <dd>
          {download}
          {manifest.compression !== 'none' && `, packed with ${manifest.compression}`}
        </dd>
        {size > 0 && (
          <>
            <dt>Disk</dt>
            <dd>{bytes(size * 2 ** 20)}</dd>
          </>
        )}
        {(['sha256', 'sha1'] as const).map(
          (name) =>
            manifest[name] !== null && (
              <>
                <dt>{name === 'sha1' ? 'SHA-1' : 'SHA-256'}</dt>
                <dd>
                  <code>{manifest[name]}</code>
                </dd>
              </>
            ),
        )}
        {manifest.sha1 === null && manifest.sha256 === null && (
          <>
            <dt>Digest</dt>
            <dd>not said: what comes can not be held against it</dd>
          </>
        )}
        <dt>Published</dt>
        <dd>{created === '' ? 'not said' : <Time at={created} />}</dd>
        {state !== 'active' && (
          <>
            <dt>State</dt>
            <dd>{state}</dd>
          </>
        )}
        {desc && (
          <>
            <dt>Description</dt>
            <dd>{desc}</dd>
          </>
        )}
        {below.length > 0 && (
          <>
            <dt>It builds on</dt>
            <dd>
              {below.map((one) => `${one.name} ${one.version}`).join(', ')}: {below.length === 1 ? 'it is' : 'they are'}{' '}
              brought along, {bytes(below.reduce((sum, one) => sum + one.download_size, 0))}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

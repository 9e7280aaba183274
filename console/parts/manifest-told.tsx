import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { RemoteFacts } from './remote-facts.js';
import type { ReadManifest } from './use-manifest.js';
import { bytes } from './words.js';

/** What would come, as far as its manifest tells. */
export function ManifestTold({ manifest }: { manifest: ReadManifest }) {
  const { uuid, name, version, builds_on: below, registered, taken } = manifest;
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
        <RemoteFacts of={manifest} />
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

import { part, Refusal } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { prefix } from '../base.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { Command, Copy } from './copy.js';
import { Failure } from './failure.js';
import type { Manifest } from './use-image.js';

interface Props {
  uuid: string;
  name: string;
  version: string;
  hasFile: boolean;
  isReady: boolean;
}

/** As it is typed, for those who take it elsewhere, with the manifest that they will find. */
export function Pull({ uuid, name, version, hasFile, isReady }: Props) {
  const { answer, failure, refresh } = useAsked<Manifest>(`/image/${part(uuid)}/manifest`, {
    kinds: ['images', 'datacenters'],
    concerns: (change) => change.kind !== 'images' || change.uuid === uuid,
  });
  const isHidden = failure instanceof Refusal && failure.status === 404;
  return (
    <section class="box">
      <h2>How to pull it</h2>
      {!hasFile && <p>There is nothing to pull yet: its file has not come.</p>}
      {isHidden && <p>It is not offered over IMGAPI yet: only those who manage it get its manifest.</p>}
      {failure && !isHidden && <Failure of={failure} again={refresh} />}
      {hasFile && !isReady && <p>It is not ready: these work as soon as it is.</p>}
      {answer && hasFile && <Commands told={answer.result} uuid={uuid} name={name} version={version} />}
      {answer && <ManifestText manifest={answer.result.manifest} />}
    </section>
  );
}

/** A shell takes it for one word, and the command line for a name and a version. */
const isPlain = (text: string) => /^[\w.+-]+$/.test(text);

function Commands({
  told: { open, url },
  uuid,
  name,
  version,
}: Pick<Props, 'uuid' | 'name' | 'version'> & { told: Manifest }) {
  const { super_admin: isSuper } = useAccount();
  const at = url ?? location.origin + prefix;
  const meant = isPlain(name) && isPlain(version) ? `${name}@${version}` : uuid;
  const isOwn = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(at).hostname);
  const proof = open ? '' : '-H "Authorization: Bearer $SLIPWAY_TOKEN" ';
  return (
    <>
      {isOwn && (
        <p class="hint">
          {at} is good on the server itself only.
          {isSuper && (
            <>
              {' '}
              With the setting <code>publicUrl</code> the address that others reach stands here.
            </>
          )}
        </p>
      )}
      <h3>On a node that has this server as a source</h3>
      <Command line={`imgadm import ${uuid}`} what="the command for a node" />
      {open ? (
        <>
          <h3>On any other node</h3>
          <Command line={`imgadm import -S ${at} ${uuid}`} what="the command for any node" />
        </>
      ) : (
        <p class="hint">
          It is not for everybody: a node gets it by a token of its own, which is in the address of its source.{' '}
          {isSuper ? (
            <>
              Make one on the page of the <Link to="/nodes">node</Link>.
            </>
          ) : (
            'A SuperAdmin makes one.'
          )}
        </p>
      )}
      <h3>With the command line</h3>
      <Command line={`slipway download ${meant} --url ${at}`} what="the command line" />
      <h3>With curl</h3>
      <Command line={`curl -f ${proof}-o ${uuid} ${at}/images/${uuid}/file`} what="the command for curl" />
      {!open && (
        <p class="hint">
          Both prove who you are by a token in <code>SLIPWAY_TOKEN</code>:{' '}
          <Link to="/tokens">make a token to read with</Link>, then <code>export SLIPWAY_TOKEN=…</code>
        </p>
      )}
    </>
  );
}

function ManifestText({ manifest }: Pick<Manifest, 'manifest'>) {
  const text = JSON.stringify(manifest, undefined, 2);
  return (
    <details class="manifest">
      <summary>The manifest, as nodes get it</summary>
      <Copy text={text} what="the manifest" />
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
        tabIndex={0}
      >
        {text}
      </pre>
    </details>
  );
}

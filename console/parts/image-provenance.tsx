import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { Fact } from './fact.js';
import type { Image } from './use-image.js';
import { WebLink } from './web-link.js';

/** How it came here, as far as that is known, and how far its bytes can be trusted. */
export function Provenance({ image: { provenance, files } }: { image: Image }) {
  const { by, repository, url, machine } = provenance;
  return (
    <section class="box">
      <h2>Where it came from</h2>
      <dl class="facts">
        <Fact name="Brought by">{by ?? 'nobody remembers'}</Fact>
        {machine ? (
          <>
            <Fact name="Made here of">
              machine <bdi>{machine.hostname}</bdi>, disk {machine.disk}, snapshot <bdi>{machine.snapshot}</bdi>
            </Fact>
            <Fact name="Its uuid">
              <code>{machine.vm}</code>
            </Fact>
            <Fact name="Data center">{machine.dc}</Fact>
            <Fact name="Node">
              <NodeName name={machine.node} />
            </Fact>
          </>
        ) : (
          <Fact name="From">
            {repository ? `repository ${repository}` : url ? <WebLink to={url} /> : 'an upload, or a node'}
          </Fact>
        )}
        {files.length > 0 && (
          <Fact name="Verified">
            its digests were computed here while it came
            {(repository || url) && ', and had to be those that it was announced with'}: nothing else is ever sent
          </Fact>
        )}
      </dl>
    </section>
  );
}

/** To its page, for those who have it. */
function NodeName({ name }: { name: string }) {
  const { super_admin: isSuper } = useAccount();
  return isSuper ? <Link to={`/nodes/${part(name)}`}>{name}</Link> : <span>{name}</span>;
}

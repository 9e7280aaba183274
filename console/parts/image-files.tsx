import { addressOf, part } from '../api/ask.js';
import { Copy } from './copy.js';
import { Fact } from './fact.js';
import type { Image } from './use-image.js';
import { bytes } from './words.js';

export interface File extends Omit<Image['files'][number], 'sha256'> {
  sha256?: string;
}

interface Props {
  files: readonly File[];
  uuid: string;
}

/** What it is made of. The browser fetches it through the session: it has no other credentials. */
export const Files = ({ files, uuid }: Props) => (
  <section class="box">
    <h2>{files.length > 1 ? 'Its files' : 'Its file'}</h2>
    {files.length === 0 && <p class="quiet">It has none yet.</p>}
    {files.map(({ sha1, sha256, size, compression }, index) => (
      <div key={`${index}:${sha1}`}>
        <dl class="facts">
          <Fact name="Size">
            {bytes(size)} {size >= 1024 && <span class="quiet">{size} bytes</span>}
          </Fact>
          <Fact name="Packed">{compression === 'none' ? 'not at all' : `with ${compression}`}</Fact>
          <Digest name="SHA-1" value={sha1} />
          <Digest name="SHA-256" value={sha256} />
        </dl>
        <p class="foot">
          <a class="button" href={addressOf(`/image/${part(uuid)}/file`, { index: index || undefined })} download>
            Download {files.length > 1 ? `file ${index + 1}` : 'the file'}
          </a>
        </p>
      </div>
    ))}
  </section>
);

/** Manifests have only one of them. */
const Digest = ({ name, value }: { name: string; value: string | undefined }) =>
  value === undefined ? null : (
    <Fact name={name}>
      <code>{value}</code> <Copy text={value} what={`the ${name}`} />
    </Fact>
  );

import { Copy } from './copy.js';
import { osOf } from './image-words.js';
import type { Remote } from './remote.js';
import { bytes, Time } from './words.js';

type Told = Pick<
  Remote,
  'uuid' | 'os' | 'type' | 'ostype' | 'size' | 'download_size' | 'created' | 'state' | 'desc'
> & {
  compression?: string;
};

/** What is known of an image elsewhere, as lines of a list of facts. */
export function RemoteFacts({ of }: { of: Told }) {
  const { uuid, type, size, download_size: download, compression = 'none', created, state, desc } = of;
  return (
    <>
      <dt>UUID</dt>
      <dd>
        <code>{uuid}</code> <Copy text={uuid} what="the uuid" />
      </dd>
      <dt>OS</dt>
      <dd>
        {osOf(of)}, {type}
      </dd>
      <dt>Download</dt>
      <dd>
        {download === 0 ? 'not said' : bytes(download)}
        {compression !== 'none' && `, packed with ${compression}`}
      </dd>
      {size > 0 && (
        <>
          <dt>Disk</dt>
          <dd>{bytes(size * 2 ** 20)}</dd>
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
    </>
  );
}

import { Copy } from './copy.js';
import { Fact } from './fact.js';
import { osOf } from './image-words.js';
import type { Image } from './use-image.js';
import { WebLink } from './web-link.js';
import { bytes, Time } from './words.js';

const diskOf = ({ size, resize }: Image) =>
  size === 0
    ? 'its manifest does not say'
    : `${bytes(size * 2 ** 20)}${resize ? ', or larger' : ': machines have disks of just this size'}`;

const machinesOf = ({ vms }: Image) =>
  vms === 0 ? 'no machine that you can see' : `${vms} machine${vms === 1 ? '' : 's'}, told below`;

export function Facts({ image }: { image: Image }) {
  const { name, uuid, owner, desc, homepage, tags, type, os, deploy, state, created, changed, published } = image;
  return (
    <section class="box">
      <h2>What it is</h2>
      <dl class="facts">
        <Fact name="Description">{desc && <bdi>{desc}</bdi>}</Fact>
        <Fact name="Homepage">{homepage && <WebLink to={homepage} />}</Fact>
        <Fact name="Key">
          <bdi>{name}</bdi>
        </Fact>
        <Fact name="UUID">
          <code>{uuid}</code> <Copy text={uuid} what="the uuid" />
        </Fact>
        <Fact name="OS">
          {osOf(image)} <span class="quiet">{os}</span>
        </Fact>
        <Fact name="Type">{type}</Fact>
        <Fact name="Disk">{diskOf(image)}</Fact>
        <Fact name="Deploy">{deploy && 'its machines switch themselves off when they are set up'}</Fact>
        <Fact name="Owner">
          <bdi>{owner}</bdi>
        </Fact>
        <Fact name="Tags">{tags.length > 0 && `${tags.join(', ')}: machines inherit them`}</Fact>
        <Fact name="Used by">{machinesOf(image)}</Fact>
        <Fact name="State">{state}</Fact>
        <Fact name="Created">
          <Time at={created} />
        </Fact>
        <Fact name="Changed">
          <Time at={changed} />
        </Fact>
        <Fact name="Published">
          <Time at={published} />
        </Fact>
      </dl>
    </section>
  );
}

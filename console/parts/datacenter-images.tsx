import { useState } from 'preact/hooks';
import { part, Refusal } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { Link, useQuery } from '../router.js';
import { Act } from './act.js';
import { Badge } from './badge.js';
import { Dialog } from './dialog.js';
import { Form } from './form.js';
import { askOf, readImage, type ShownImage } from './image-ask.js';
import { DetachImage } from './image-detach.js';
import { useSeen } from './image-form.js';
import { type Image, ImagePicker } from './image-picker.js';
import { ImageBadges } from './image-words.js';
import { Opens } from './open.js';
import { Search } from './search.js';
import { type Column, Table } from './table.js';
import { toast } from './toasts.js';

interface Props {
  dc: string;
  mayChange: boolean;
}

const columns: readonly Column<Image>[] = [
  {
    name: 'name',
    title: 'Image',
    shown: true,
    order: 'name',
    cell: ({ name, uuid, version }) => (
      <>
        <Link to={`/image/${part(uuid)}`}>{name}</Link> <span class="quiet">{version}</span>
      </>
    ),
  },
  { name: 'state', title: 'Status', shown: true, cell: (image) => <ImageBadges image={image} /> },
  { name: 'belongs', title: 'Belongs', shown: true, cell: (image) => <Belongs image={image} /> },
  { name: 'owner', title: 'Owner', shown: true, order: 'owner', cell: ({ owner }) => owner },
];

const Belongs = ({ image: { dc_bound: isBound, global: isGlobal } }: { image: Image }) => {
  if (isGlobal) return <Badge text="global" title="in every data center" />;
  return isBound ? (
    <Badge text="bound" title="to this data center, whose image administrators may change it" />
  ) : (
    <Badge text="shared" title="only SuperAdmins may change it" />
  );
};

/** The images that are attached to a data center; SuperAdmins attach and detach them. */
export function DatacenterImages({ dc, mayChange }: Props) {
  const [search, setSearch] = useQuery('image');
  const [sort] = useQuery('sort');
  const [leaving, setLeaving] = useState<Image>();
  const rows = useRows<Image>(`/dc/${part(dc)}/image`, {
    query: { search, order_by: sort || 'name' },
    kinds: ['images', 'datacenters'],
    concerns: ({ action }) => action !== 'progress',
  });
  const detach: Column<Image> = {
    name: 'detach',
    title: 'Detach',
    shown: true,
    cell: (image) => (
      <Act label="Detach …" what={image.name} reason={image.may_not.detach} act={() => setLeaving(image)} />
    ),
  };
  return (
    <>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search its images" />
      </div>
      <Table
        name="dc-images"
        caption={`Images of ${dc}`}
        rows={rows}
        columns={mayChange ? [...columns, detach] : columns}
        idOf={({ uuid }) => uuid}
        empty={search ? 'No image of it is like that.' : 'No image is attached to it.'}
        tools={
          mayChange && (
            <Opens label="Attach an image …" isMain>
              {(close) => <Attach dc={dc} close={close} />}
            </Opens>
          )
        }
      />
      {leaving && <Detach dc={dc} image={leaving} close={() => setLeaving(undefined)} />}
    </>
  );
}

const whyNotAttached = ({ dcs, may_not: mayNot }: Image, dc: string) =>
  dcs.includes(dc) ? 'it is there already' : mayNot.attach;

/** Says before what becomes of one that is bound to another data center. */
function Attach({ dc, close }: { dc: string; close: () => void }) {
  const [image, setImage] = useState<ShownImage>();
  const again = () => image && readImage(image).then(setImage, (error: Error) => toast(error.message, { isBad: true }));
  const attach = async () => {
    if (!image) throw new Refusal(400, 'NothingChosen', 'no image is chosen');
    await askOf(image, { method: 'POST', body: {} }, `/dc/${part(dc)}/image/${part(image.uuid)}`);
    toast(`${image.name} is attached to ${dc}`);
    close();
  };
  return (
    <Dialog title={`Attach an image to ${dc}`} close={close}>
      <ImagePicker chosen={image} choose={setImage} reasonOf={(one) => whyNotAttached(one, dc)} />
      {image?.dc_bound && (
        <p role="status">
          {image.name} is bound to {image.dcs.join(', ')}: it will be shared, and only SuperAdmins can change it then.
        </p>
      )}
      <Form
        name={`attach-image:${dc}`}
        fields={[]}
        initial={{}}
        submit={attach}
        again={again}
        label="Attach"
        cancel={close}
      />
    </Dialog>
  );
}

interface DetachProps {
  dc: string;
  image: Image;
  close: () => void;
}

/** It outlives the row that it was opened from. */
function Detach({ dc, image, close }: DetachProps) {
  const [seen, again] = useSeen(image);
  return <DetachImage image={seen} dc={dc} again={again} close={close} done={toast} />;
}

import { ask, part } from '../api/ask.js';
import { useAccount } from '../session.js';
import { bodyOf, type ImageValues } from './bring-fields.js';
import { useImageFields } from './bring-places.js';
import { osChoices, typeChoices } from './file-fields.js';
import { type Field, Form } from './form.js';
import { stemOf } from './packing.js';
import type { Order } from './upload-run.js';
import { bytes } from './words.js';

interface Values extends ImageValues {
  os: string;
  type: string;
  /** In MiB. */
  image_size: string;
  nic_driver: string;
  disk_driver: string;
  cpu_type: string;
  activates: boolean;
}

export type Manifest = Record<string, unknown>;

interface Props {
  file: File;
  /** That came along with the file. */
  manifest: Manifest | undefined;
  /** Of the disk that is in it, in bytes, where that is known. */
  disk: number | undefined;
  /** What there is to know of it before. */
  note: string | undefined;
  add: (order: Order) => void;
  skip: () => void;
}

const isZvol = ({ type }: Values) => type === 'zvol';
const MIB = 2 ** 20;

const ofFile: readonly Field<Values>[] = [
  { name: 'os', label: 'OS', kind: 'choice', choices: osChoices },
  { name: 'type', label: 'Type', kind: 'choice', choices: typeChoices },
  {
    name: 'image_size',
    label: 'Size of the disk',
    kind: 'number',
    hint: 'in MiB; of what is packed, as it is unpacked',
    when: isZvol,
  },
  { name: 'nic_driver', label: 'Network driver', when: isZvol, isAdvanced: true },
  { name: 'disk_driver', label: 'Disk driver', when: isZvol, isAdvanced: true },
  { name: 'cpu_type', label: 'Type of CPU', when: isZvol, isAdvanced: true },
];
const activates: Field<Values> = {
  name: 'activates',
  label: 'Activate it when its file is here',
  kind: 'check',
};

const text = (value: unknown) => (typeof value === 'string' ? value : '');

/** What a file of this computer shall be. */
export function UploadForm({ file, manifest, disk, note, add, skip }: Props) {
  const account = useAccount();
  const { fields, initial } = useImageFields<Values>({
    way: manifest?.uuid === undefined ? 'create' : 'import',
    hasManifest: manifest !== undefined,
  });
  const stem = stemOf(file.name).replace(/[^A-Za-z0-9._-]+/g, '-');
  const start: Values = {
    ...initial,
    name: (text(manifest?.name) || stem).slice(0, 32),
    alias: text(manifest?.name) || stem.slice(0, 32),
    version: text(manifest?.version) || '1.0',
    os: 'linux',
    type: 'zvol',
    image_size: disk === undefined ? '' : String(Math.max(1, Math.ceil(disk / MIB))),
    nic_driver: 'virtio',
    disk_driver: 'virtio',
    cpu_type: 'qemu64',
    activates: true,
  };
  const pathFor = ({ name }: Values) => `/image/${part(name || '-')}`;
  const bodyFor = ({ os, type, image_size, activates: _, nic_driver, disk_driver, cpu_type, ...image }: Values) => ({
    ...bodyOf(image),
    manifest: manifest ?? {
      name: image.alias || image.name,
      version: image.version || '1.0',
      os,
      type,
      ...(type === 'zvol' && {
        ...(image_size && { image_size: Number(image_size) }),
        nic_driver,
        disk_driver,
        cpu_type,
      }),
    },
  });
  const submit = async (values: Values) => {
    // What would be refused is refused here, with the form still there.
    await ask(pathFor(values), { method: 'POST', body: bodyFor(values), isCheck: true });
    add({
      file,
      title: values.alias || values.name,
      user: account.uuid,
      activates: values.activates,
      create: async () => {
        const { result } = await ask<{ uuid: string }>(pathFor(values), { method: 'POST', body: bodyFor(values) });
        return result.uuid;
      },
    });
  };
  return (
    <section class="box sending narrow" aria-label={`fields of ${file.name}`}>
      <h2>
        {file.name} <span class="quiet">{bytes(file.size)}</span>
      </h2>
      {note && <p class="quiet">{note}</p>}
      {manifest && <p class="quiet">Its manifest came along: fields that are empty here are taken from it.</p>}
      <Form
        name={`bring-upload:${file.name}:${file.size}`}
        fields={[...fields, ...(manifest ? [] : ofFile), activates]}
        initial={start}
        submit={submit}
        check={(values, _, signal) =>
          ask(pathFor(values), { method: 'POST', body: bodyFor(values), isCheck: true, signal })
        }
        label="Upload"
        cancel={skip}
      />
    </section>
  );
}

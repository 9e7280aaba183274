import { ask, part } from '../api/ask.js';
import { bodyOf, type ImageValues } from './bring-fields.js';
import { useImageFields } from './bring-places.js';
import { osChoices } from './file-fields.js';
import { type Field, Form } from './form.js';
import { NEW } from './snapshot-step.js';
import { toast } from './toasts.js';

interface Values extends ImageValues {
  os: string;
  incremental: boolean;
  compression: string;
  compress_on: string;
}

/** With what the name of a snapshot begins that is taken for an image. */
const TAKEN = 'image';

const own: readonly Field<Values>[] = [
  {
    name: 'os',
    label: 'OS',
    kind: 'choice',
    choices: [['', 'as its node says'], ...osChoices],
    isAdvanced: true,
  },
  {
    name: 'incremental',
    label: 'Only what has changed since the image that the disk was made of',
    kind: 'check',
    isAdvanced: true,
  },
  {
    name: 'compression',
    label: 'Packed with',
    kind: 'choice',
    choices: ['gzip', 'none', 'bzip2', 'xz', 'zstd'].map((one) => [one, one] as const),
    isAdvanced: true,
  },
  {
    name: 'compress_on',
    label: 'Packed on',
    kind: 'choice',
    choices: [
      ['node', 'the node'],
      ['here', 'this server'],
    ],
    isAdvanced: true,
  },
];

interface Props {
  node: string;
  vm: string;
  disk: string;
  snapshot: string;
  begun: (task: string) => void;
}

/** What the image shall be. */
export function SnapshotForm({ node, vm, disk, snapshot, begun }: Props) {
  const { fields, initial } = useImageFields<Values>({ way: 'create', isPlaced: true });
  const isNew = snapshot === NEW;
  const pathFor = ({ name }: Values) =>
    `/vm/${part(vm)}/snapshot/${part(isNew ? TAKEN : snapshot)}/image/${part(name || '-')}`;
  const bodyFor = ({ os, incremental, compression, compress_on, ...image }: Values) => {
    // It stands where its machine does, whoever asks.
    const { dc: _, dc_bound: __, ...said } = bodyOf(image);
    return {
      ...said,
      disk_id: Number(disk),
      ...(node && { node }),
      ...(isNew && { take: true }),
      ...(os && { os }),
      ...(incremental && { incremental }),
      compression,
      compress_on,
    };
  };
  const submit = async (values: Values) => {
    const { task, result } = await ask<{ warnings?: string[] } | null>(pathFor(values), {
      method: 'POST',
      body: bodyFor(values),
    });
    for (const warning of result?.warnings ?? []) toast(warning, { isBad: true });
    begun(task ?? '');
  };
  return (
    <Form
      name={`bring-snapshot:${vm}`}
      fields={[...fields, ...own]}
      initial={{ ...initial, os: '', incremental: false, compression: 'gzip', compress_on: 'node' }}
      submit={submit}
      check={(values, _, signal) =>
        ask(pathFor(values), { method: 'POST', body: bodyFor(values), isCheck: true, signal })
      }
      label="Make the image"
    />
  );
}

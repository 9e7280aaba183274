import type { Account } from '../session.js';
import type { Field } from './field.js';

/** What can be said of an image that is brought in; what is empty is as its manifest has it. */
export interface ImageValues {
  name: string;
  alias: string;
  version: string;
  dc: string;
  access: string;
  owner: string;
  desc: string;
  tags: string[];
  dc_bound: boolean;
}

export const unsaid: ImageValues = {
  name: '',
  alias: '',
  version: '',
  dc: '',
  access: '',
  owner: '',
  desc: '',
  tags: [],
  dc_bound: true,
};

const NEEDED = { create: ['image_admin'], import: ['image_admin', 'image_import_admin'] } as const;

export type Way = keyof typeof NEEDED;

/** In which data centers an image can be brought in that way; none where the account does not say, as of SuperAdmins. */
export const datacentersFor = ({ roles }: Account, way: Way) =>
  Object.keys(roles).filter((dc) => NEEDED[way].every((role) => roles[dc]?.includes(role)));

interface Options {
  account: Account;
  /** All that there are, for SuperAdmins. */
  all: readonly string[];
  way: Way;
  /** Where it is not chosen, as with snapshots. */
  isPlaced?: boolean;
  /** What is empty is as the manifest has it. */
  hasManifest?: boolean;
}

/** The fields of an image, in the order in which they are asked for. */
export function imageFields<T extends ImageValues>({
  account,
  all,
  way,
  isPlaced = false,
  hasManifest = false,
}: Options): Field<T>[] {
  const dcs = account.super_admin ? all : datacentersFor(account, way);
  const ifEmpty = hasManifest ? 'as in the manifest where it is empty' : undefined;
  const only = dcs.length === 1 && !account.super_admin;
  const isOther = (dc: string) => !account.super_admin || dc !== MAIN;
  const place: Field<T>[] = [
    {
      name: 'dc',
      label: 'Data center',
      kind: 'choice',
      choices: [
        ...(only ? [] : [['', account.super_admin ? MAIN : 'choose one'] as const]),
        ...dcs.filter(isOther).map(same),
      ],
    },
    ...(account.super_admin
      ? ([{ name: 'dc_bound', label: 'Belongs to that data center alone', kind: 'check' }] as const)
      : []),
  ];
  return [
    { name: 'name', label: 'Name', hint: 'the key by which it is addressed' },
    { name: 'alias', label: 'Alias', hint: `what people call it${ifEmpty ? `; ${ifEmpty}` : ''}` },
    { name: 'version', label: 'Version', hint: ifEmpty ?? '1.0 where it is empty' },
    ...(isPlaced ? [] : place),
    {
      name: 'access',
      label: 'Access',
      kind: 'choice',
      choices: [...(hasManifest ? [['', 'as in the manifest'] as const] : []), ['3', 'private'], ['1', 'public']],
    },
    { name: 'desc', label: 'Description', ...(ifEmpty && { hint: ifEmpty }) },
    { name: 'tags', label: 'Tags', kind: 'words', hint: 'with commas between them', isAdvanced: true },
    { name: 'owner', label: 'Owner', hint: 'a user, by name; you where it is empty', isAdvanced: true },
  ];
}

/** SuperAdmins who choose none mean that one. */
const MAIN = 'main';

const same = (text: string) => [text, text] as const;

/** As the server takes it: the key of the image stands in the path, and what is not said is left out. */
export function bodyOf({ name: _, access, dc_bound, tags, ...rest }: ImageValues): Record<string, unknown> {
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== '')),
    ...(access !== '' && { access: Number(access) }),
    ...(tags.length > 0 && { tags }),
    ...(!dc_bound && { dc_bound }),
  };
}

import type { Account } from '../session.js';
import type { Field } from './form.js';
import { type Sharing, sharingFields } from './image-share.js';
import { labels } from './label.js';

export interface BulkWish extends Sharing {
  action: string;
  label: string;
  access: string;
  reason: string;
  replacement: string;
  dc: string;
  typed: string;
}

export const initialWish: BulkWish = {
  ...{ action: 'label', label: '', access: '3', reason: '', replacement: '', dc: '', typed: '' },
  ...{ who: 'all', groups: [], users: [] },
};

interface BulkAction {
  title: string;
  /** What of a wish is said. */
  body: (wish: BulkWish) => object;
  isGrave?: boolean;
  isForSuperAdmins?: boolean;
}

// biome-ignore format: a table is read down its columns
export const bulkActions: Readonly<Record<string, BulkAction>> = {
  label:       { title: 'Label',                         body: ({ label }) => ({ label: label || null }) },
  access:      { title: 'Change access',                 body: ({ access }) => ({ access: Number(access) }) },
  share:       { title: 'Share with groups and users',   body: ({ who, groups, users }) => ({ groups: who === 'all' ? null : groups, users }) },
  deprecate:   { title: 'Deprecate',                     body: ({ reason, replacement }) => ({ ...(reason && { reason }), ...(replacement && { replacement }) }) },
  undeprecate: { title: 'Take deprecation back',         body: () => ({}) },
  attach:      { title: 'Attach to a data center',       body: ({ dc }) => ({ ...(dc && { dc }) }), isForSuperAdmins: true },
  detach:      { title: 'Detach from a data center',     body: ({ dc }) => ({ ...(dc && { dc }) }), isForSuperAdmins: true, isGrave: true },
  delete:      { title: 'Delete',                        body: () => ({}), isGrave: true },
};

const PUBLIC = '1';
/** What has to be typed where it is shown to many, or gone for ever. */
export const toType = ({ action, access }: BulkWish): string | undefined =>
  action === 'delete' ? 'delete' : action === 'access' && access === PUBLIC ? 'public' : undefined;

interface Offered {
  groups: readonly string[];
  users: readonly string[];
  datacenters: readonly string[];
}

const isFor =
  (...names: string[]) =>
  ({ action }: BulkWish) =>
    names.includes(action);

export const bulkFields = (
  { super_admin: isSuper }: Account,
  offered: Offered,
  wish: BulkWish,
): readonly Field<BulkWish>[] => [
  {
    name: 'action',
    label: 'What to do',
    kind: 'choice',
    choices: Object.entries(bulkActions)
      .filter(([, { isForSuperAdmins }]) => isSuper || !isForSuperAdmins)
      .map(([name, { title }]) => [name, title]),
  },
  {
    name: 'label',
    label: 'Label',
    kind: 'choice',
    choices: [['', 'none'], ...labels.map((label) => [label, label] as const)],
    when: isFor('label'),
  },
  {
    name: 'access',
    label: 'Access',
    kind: 'choice',
    choices: [
      [PUBLIC, 'public in their data centers'],
      ['3', 'private'],
      ['4', 'deleted: no longer offered'],
    ],
    when: isFor('access'),
  },
  { name: 'reason', label: 'Reason', hint: 'shown to everybody who sees them', when: isFor('deprecate') },
  { name: 'replacement', label: 'Take instead', hint: 'an image, by name or uuid', when: isFor('deprecate') },
  ...sharingFields<BulkWish>(offered, wish, 'whom their access lets in, and the users below').map(
    ({ when = () => true, ...field }) => ({
      ...field,
      when: (values: BulkWish) => values.action === 'share' && when(values),
    }),
  ),
  {
    name: 'dc',
    label: 'Data center',
    kind: 'choice',
    choices: [['', 'choose one'], ...offered.datacenters.map((name) => [name, name] as const)],
    when: isFor('attach', 'detach'),
  },
  {
    name: 'typed',
    label: 'Type “delete” to go on',
    isRequired: true,
    isProof: true,
    when: (values) => toType(values) === 'delete',
  },
  {
    name: 'typed',
    label: 'Type “public” to go on',
    hint: 'everybody in their data centers sees them then; where one is open to anonymous callers, so does the world',
    isRequired: true,
    isProof: true,
    when: (values) => toType(values) === 'public',
  },
];

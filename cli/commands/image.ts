import { CliError } from '../errors.js';
import { ALL, type Field, oneOf, paging } from '../field.js';
import { type Resource, type Row, resource } from '../resource.js';
import type { Meanings } from '../table.js';

const where: Field = ['dc', '--dc <dc>', 'where several data centers have an image of this name: the one of this'];

const access: Field = ['access', '--access <access>', 'who may use it', { public: 1, private: 3, deleted: 4 }];

export const osTypes = { linux: 1, sunos: 2, bsd: 3, windows: 4, 'sunos-zone': 5, 'linux-zone': 6 };

export const fields: readonly Field[] = [
  ['alias', '--alias <name>', 'what its manifest calls it'],
  ['version', '--version <version>', 'its version'],
  access,
  ['owner', '--owner <user>', 'whose it is'],
  ['desc', '--desc <text>', 'what it is, in words'],
  ['homepage', '--homepage <url>', 'where more is told of it; "": nowhere'],
  ['resize', '--resize', 'its disks may be larger than it', 'switch'],
  ['deploy', '--deploy', 'its machines power themselves off when they are set up', 'switch'],
  ['tags', '--tags <tags>', 'tags, with commas between them', 'list'],
  ['golden', '--golden', 'it is the one to take', 'switch'],
  ['dc_bound', '--dc-bound', 'the administrators of one data center manage it', 'switch'],
];

const force: Field = ['force', '--force', 'although machines use it; SuperAdmins only', 'flag'];

const sharing: readonly Field[] = [
  ['users', '--users <users>', 'users who see it beside others, with commas between them', 'list'],
  ['groups', '--groups <groups>', `groups whose members alone see it, with commas; "${ALL}": everybody`, 'list or all'],
  ['global', '--global', 'all data centers have it, those to come included', 'switch'],
];

const YES_OR_NO = oneOf('true', 'false');

/** Which images are listed. */
const filters: readonly Field[] = [
  ['label', '--label <label>', 'with this label; "none": without any'],
  ['golden', '--golden <yes>', 'golden ones, or the others', YES_OR_NO],
  ['deprecated', '--deprecated <yes>', 'deprecated ones, or the others', YES_OR_NO],
  ['ready', '--ready <yes>', 'ones that can be used now, or the others', YES_OR_NO],
  ['ostype', '--ostype <type>', 'for this type', osTypes],
  access,
  ['owner', '--owner <user>', 'of this owner'],
  ['tag', '--tag <tag>', 'with this tag'],
  ...paging,
];

const COLUMNS = 'name alias version access owner os type size status dc_bound desc';

/** What its numbers mean. */
export const meanings: Meanings = {
  access: { 1: 'public', 2: 'disabled', 3: 'private', 4: 'deleted', 9: 'internal' },
  ostype: { 1: 'Linux', 2: 'SunOS', 3: 'BSD', 4: 'Windows', 5: 'SunOS zone', 6: 'Linux zone' },
  size: { 0: '-' },
  status: { 1: 'ok', 2: 'pending' },
};

export const listAttached: Row = {
  name: 'list',
  description: 'list the images that a data center sees',
  asks: 'GET /api/dc/:dc/image',
  always: { full: true },
  fields: [...filters, ['deleted', '--deleted', 'retired ones as well', 'flag']],
  columns: COLUMNS,
  meanings,
  examples: [],
};

export const attach: Row = {
  name: 'attach',
  description: 'let a data center see an image; one that is bound to another becomes shared',
  asks: 'POST /api/dc/:dc/image/:image',
  words: ['<image>', '<dc>'],
  fields: [['only', '--only', 'there alone: it leaves all others, and is bound there', 'flag']],
  done: 'image :image is attached to :dc',
  examples: ['image attach base north', 'image attach base north --only'],
};

export const detach: Row = {
  name: 'detach',
  description: 'let a data center see an image no more, unless its machines use it',
  asks: 'DELETE /api/dc/:dc/image/:image',
  words: ['<image>', '<dc>'],
  fields: [force],
  done: 'image :image is detached from :dc',
  examples: ['image detach base north'],
};

/** One image came to this, another to that: whoever asked must not take it for done. */
function allDone(result: unknown): void {
  const refused = [result].flat().filter((one) => Object(one).status !== 'SUCCESS');
  if (refused.length === 0) return;
  throw new CliError(`${refused.length} of ${[result].flat().length} images were refused`, {
    hint: 'the list says why; the others are done',
  });
}

const bulk = (action: string, description: string, example: string, more: readonly Field[] = []): Row => ({
  name: action,
  description,
  asks: 'POST /api/bulk/image',
  long: true,
  words: ['<images...>'],
  always: { action },
  fields: [...more, where],
  columns: 'image status detail',
  check: allDone,
  examples: [`image bulk ${action} ${example}`],
});

const reason: Field = ['reason', '--reason <text>', 'why'];
const replacement: Field = ['replacement', '--replacement <image>', 'what to use instead'];
const label: Field = ['label', '--label <label>', 'such as red, flag-blue, star or tag-green'];
const datacenter: Field = ['dc', '--dc <dc>', 'this data center'];

const unlabel = { name: 'unlabel', always: { action: 'label', label: null } };

const many: Resource = {
  name: 'bulk',
  description: 'the same for many images: one that is refused does not stop the others',
  rows: [
    bulk('deprecate', 'say that images should not be used any more', "old older --reason 'see base'", [
      reason,
      replacement,
    ]),
    bulk('undeprecate', 'say that images may be used again', 'old older'),
    {
      ...bulk('delete', 'delete images that nobody uses', 'old older', [force]),
      confirms: 'image :images',
      examples: ['image bulk delete old older', 'image bulk delete old older --yes'],
    },
    bulk('label', 'label images', 'base web --label star', [label]),
    {
      ...bulk('label', 'take the labels off images', 'base web'),
      ...unlabel,
      examples: ['image bulk unlabel base web'],
    },
    bulk('access', 'say who may use images', 'base web --access public', [access]),
    bulk('share', 'share images with users and groups', 'base web --groups dev', sharing),
    { ...bulk('attach', 'let a data center see images', 'base web --dc north'), fields: [datacenter] },
    { ...bulk('detach', 'let a data center see images no more', 'base web --dc north'), fields: [datacenter, force] },
  ],
};

export const register = resource({
  name: 'image',
  description: 'images as data centers have them: bound, shared, attached, labelled, deprecated',
  rows: [
    {
      name: 'list',
      description: 'list the images that you manage; "slipway dc images" lists those that a data center sees',
      asks: 'GET /api/image',
      always: { full: true },
      fields: [['dc', '--dc <dc>', 'those of this data center'], ...filters],
      columns: COLUMNS,
      meanings,
      examples: ['image list', 'image list --dc north --search base --sort -created', 'image list --csv'],
    },
    {
      name: 'show',
      description: 'show an image, with the data centers that see it',
      asks: 'GET /api/image/:image',
      always: { extended: true },
      meanings,
      fields: [where],
      examples: ['image show base', 'image show base --dc north --json'],
    },
    {
      name: 'create',
      description: 'register an image from a manifest; its file follows with "slipway upload FILE --uuid UUID"',
      asks: 'POST /api/image/:name',
      long: true,
      fields: [
        ['manifest', '-m, --manifest <file>', 'its manifest, in JSON; "-": from standard input', 'json'],
        ...fields,
        ['dc', '--dc <dc>', 'the data center to which it is bound'],
      ],
      done: 'image :name is registered',
      examples: ['image create base -m base.json --dc north --access private'],
    },
    {
      name: 'update',
      description: 'change an image',
      asks: 'PUT /api/image/:image',
      long: true,
      fields: [...fields, where],
      done: 'image :image is changed',
      examples: [
        "image update base --access public --desc 'what everything builds on'",
        'image update base --no-dc-bound',
      ],
    },
    {
      name: 'delete',
      description: 'delete an image that no machine uses',
      asks: 'DELETE /api/image/:image',
      long: true,
      fields: [where, force],
      confirms: 'image :image',
      done: 'image :image is deleted',
      examples: ['image delete base', 'image delete base --dc north --yes'],
    },
    {
      name: 'vms',
      description: 'list the machines that use an image',
      asks: 'GET /api/image/:image/vm',
      always: { full: true },
      fields: [where],
      columns: 'uuid hostname dc node state',
      examples: ['image vms base'],
    },
    {
      name: 'lineage',
      description: 'show what an image comes from, nearest first, and what comes from it',
      asks: 'GET /api/image/:image/lineage',
      fields: [where],
      examples: ['image lineage base', 'image lineage base --json'],
    },
    attach,
    detach,
    {
      name: 'label',
      description: 'label an image, such as red, flag-blue, star or tag-green',
      asks: 'PUT /api/image/:image',
      words: ['<image>', '<label>'],
      fields: [where],
      done: 'image :image has label :label',
      examples: ['image label base star'],
    },
    {
      name: 'unlabel',
      description: 'take the label off an image',
      asks: 'PUT /api/image/:image',
      always: { label: null },
      fields: [where],
      done: 'image :image has no label',
      examples: ['image unlabel base'],
    },
    {
      name: 'deprecate',
      description: 'say that an image should not be used any more: it leaves the pickers, and who uses it may go on',
      asks: 'PUT /api/image/:image/deprecate',
      fields: [reason, replacement, where],
      done: 'image :image is deprecated',
      examples: ["image deprecate base --reason 'too old' --replacement base-2"],
    },
    {
      name: 'undeprecate',
      description: 'say that an image may be used again',
      asks: 'DELETE /api/image/:image/deprecate',
      fields: [where],
      done: 'image :image is deprecated no more',
      examples: ['image undeprecate base'],
    },
    {
      name: 'share',
      description: 'say which users, groups and data centers see an image',
      asks: 'PUT /api/image/:image',
      fields: [...sharing, where],
      done: 'image :image is shared as you say',
      examples: ['image share base --users bob,carol', 'image share base --groups dev', 'image share base --global'],
    },
    many,
  ],
});

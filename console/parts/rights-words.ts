/** What the permissions of groups give in a data center: each line takes all that stands before it. */
const rows: readonly (readonly [takes: readonly string[], words: string])[] = [
  [[], 'see and use its public images, and those shared with them'],
  [['admin'], 'see all of its images and machines, its groups, settings and audit'],
  [['admin', 'image_admin'], 'make, change, upload and delete the images that are bound to it'],
  [['admin', 'image_import_admin'], 'browse repositories, and keep secrets for sources'],
  [['admin', 'image_admin', 'image_import_admin'], 'import images into it'],
  [['admin', 'image_admin', 'share_public'], 'show images to everybody, where it is open to everybody'],
];

/** What somebody who holds these may do in a data center, in words. */
export const rightsIn = (held: readonly string[]): string[] =>
  rows.filter(([takes]) => takes.every((one) => held.includes(one))).map(([, words]) => words);

const beyond = ['image_admin', 'image_import_admin', 'share_public'];

/** What is held in vain, as `admin` is not. */
export const inVain = (held: readonly string[]): string[] =>
  held.includes('admin') ? [] : held.filter((one) => beyond.includes(one));

/** How permissions are offered. */
export const permissionChoices = [
  ['admin', 'admin: see all of the data center; the others are worth nothing without it'],
  ['image_admin', 'image_admin: make, change and delete its images'],
  ['image_import_admin', 'image_import_admin: browse repositories, keep secrets; with image_admin, import'],
  ['share_public', 'share_public: with image_admin, show images to everybody'],
] as const;

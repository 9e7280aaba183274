/** What something can be done to, as the audit calls it, and in words. */
// biome-ignore format: a table is read down its columns
export const auditKinds: readonly (readonly [kind: string, words: string])[] = [
  ['images',        'images'],
  ['uploads',       'uploads'],
  ['tasks',         'tasks'],
  ['datacenters',   'data centers and settings'],
  ['nodes',         'nodes'],
  ['node-statuses', 'whether nodes are there'],
  ['node-images',   'images on nodes'],
  ['node-sources',  'image servers of nodes'],
  ['node-tokens',   'tokens of nodes'],
  ['vms',           'machines'],
  ['campaigns',     'campaigns'],
  ['users',         'users'],
  ['groups',        'groups'],
  ['tokens',        'tokens'],
  ['sessions',      'sessions'],
  ['repositories',  'repositories'],
  ['follows',       'follows'],
  ['secrets',       'secrets'],
  ['webhooks',      'webhooks'],
];

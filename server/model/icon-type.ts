const types: [string, number[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
];

/** What an icon is, by its first bytes. */
export const iconTypeOf = (head: Uint8Array): string | undefined =>
  types.find(([, magic]) => magic.every((byte, at) => head[at] === byte))?.[0];

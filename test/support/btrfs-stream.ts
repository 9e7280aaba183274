/** What `btrfs send` never writes, and `btrfs receive` reads: a stream of one's own, command by command. */
export type Command =
  | { make: 'subvolume' | 'file'; path: string }
  | { make: 'link'; path: string; to: string }
  | { write: string; into: string };

const codes = { subvolume: 1, file: 3, link: 8, write: 15, end: 21 } as const;
const fields = { uuid: 1, ctransid: 2, inode: 3, path: 15, link: 17, offset: 18, data: 19 } as const;

export function btrfsStream(commands: readonly Command[]): Buffer {
  const header = Buffer.concat([Buffer.from('btrfs-stream\0'), uint(1, 4)]);
  return Buffer.concat([header, ...commands.map(spelled), command(codes.end, [])]);
}

function spelled(one: Command): Buffer {
  if ('write' in one) {
    const data = field('data', Buffer.from(one.write));
    return command(codes.write, [field('path', Buffer.from(one.into)), field('offset', uint(0, 8)), data]);
  }
  const path = field('path', Buffer.from(one.path));
  if (one.make === 'subvolume') {
    return command(codes.subvolume, [path, field('uuid', Buffer.alloc(16, 7)), field('ctransid', uint(7, 8))]);
  }
  const inode = field('inode', uint(300, 8));
  return command(
    codes[one.make],
    one.make === 'link' ? [path, inode, field('link', Buffer.from(one.to))] : [path, inode],
  );
}

function command(code: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = (sum: number) => Buffer.concat([uint(body.length, 4), uint(code, 2), uint(sum, 4)]);
  return Buffer.concat([head(crc32c(Buffer.concat([head(0), body]))), body]);
}

const field = (name: keyof typeof fields, value: Buffer) =>
  Buffer.concat([uint(fields[name], 2), uint(value.length, 2), value]);

function uint(value: number, bytes: number): Buffer {
  const written = Buffer.alloc(bytes);
  written.writeUIntLE(value, 0, Math.min(bytes, 6));
  return written;
}

/** Castagnoli's, begun with 0 and not turned at the end. */
function crc32c(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  return sum >>> 0;
}

import type { Node } from './node.js';

export const SSH_PORT = 22;
export const SSH_USER = 'root';

/** A host name or an address; not one that an option could be taken for. */
export const ADDRESS = /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/;
export const SSH_USER_NAME = /^[A-Za-z_][A-Za-z0-9._@-]{0,63}$/;
/** A dataset, a directory, a volume group. */
export const PLACE = /^[A-Za-z0-9/_][^\x00-\x1f\x7f,]{0,254}$/;

const HOST_KEY_TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];

/** `ssh-ed25519 AAAA…`, with a comment behind it or not; nothing where it is no host key. */
export function hostKeyOf(text: string): string | undefined {
  const [type = '', blob = ''] = text.trim().split(/\s+/);
  if (!HOST_KEY_TYPES.includes(type) || !/^[A-Za-z0-9+/]{40,2000}={0,2}$/.test(blob)) return undefined;
  const bytes = Buffer.from(blob, 'base64');
  const named = bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString('latin1');
  return named === type ? `${type} ${bytes.toString('base64')}` : undefined;
}

/** Names of nodes from this one to the one that is reached directly; to itself again, where they lead in a circle. */
export function wayTo(node: Node, nodeNamed: (name: string) => Node | undefined): string[] {
  const way = [node.name];
  for (let next = node.connection?.jump; next !== undefined; next = nodeNamed(next)?.connection?.jump) {
    const isAgain = way.includes(next);
    way.push(next);
    if (isAgain) break;
  }
  return way;
}

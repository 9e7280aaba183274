import type { Catalog } from '../../storage/catalog.js';
import { HostUnreachable } from '../hypervisors/host.js';
import { type Node, nodes } from '../model/node.js';

/** Keeps the first host key that a node has shown: from now on it is the only one that is believed. */
export async function pinHostKey(catalog: Catalog, { name, connection: used }: Node, hostKey: string): Promise<void> {
  await catalog.write(async (tx) => {
    const node = await tx.get(nodes, name);
    const connection = node?.connection;
    if (!node || !connection || connection.address !== used?.address || connection.port !== used.port) {
      throw new HostUnreachable(name, 'lost', `the way to ${name} was changed while it was gone for the first time`);
    }
    if (connection.hostKeys.includes(hostKey)) return;
    if (connection.hostKeys.length > 0) {
      throw new HostUnreachable(name, 'host-key', `${name} was given another host key meanwhile: ask it once more`);
    }
    await tx.replace(nodes, { ...node, connection: { ...connection, hostKeys: [hostKey] } });
  });
}

import type { Node } from '../../server/model/node.js';
import type { Sshd } from './sshd.js';

/** What a server keeps of a node behind an sshd. */
export const nodeOf = (sshd: Pick<Sshd, 'connection'>, places: readonly string[] = []): Node => ({
  name: 'node1',
  datacenters: ['main'],
  addresses: [],
  knownByAddress: false,
  connection: { ...sshd.connection, places: [...places] },
  created: '2024-01-01T00:00:00.000Z',
});

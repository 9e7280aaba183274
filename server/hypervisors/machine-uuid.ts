import { createHash } from 'node:crypto';

/** Of names that are ours: any would do, as long as it stays. */
const NAMESPACE = Buffer.from('6f2b1c0e5d0a4c7e9b6a3f0d8e51c274', 'hex');

/** A uuid (version 5) of a machine whose platform gives it none: the same as long as it lies at the same place of the same node. */
export function machineUuid(node: string, place: string): string {
  const bytes = createHash('sha1')
    .update(NAMESPACE)
    .update(JSON.stringify([node, place]))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

import type { Catalog, Reader, Tx } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import { afterLooking, copyId, type NodeImage, nodeImages, ofNode, placesOfCopy } from '../model/node-image.js';

/** Which images are on which nodes, in memory: in groups by image, by node, by pool. */
export type Copies = ReadModel<NodeImage>;

export const openCopies = (catalog: Catalog): Promise<Copies> =>
  ReadModel.open<NodeImage, NodeImage>(catalog, nodeImages, {
    project: (copy) => copy,
    compare: (a, b) => inOrder(copyId(a), copyId(b)),
    rank: () => 0,
    groups: placesOfCopy,
  });

const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** What a node has told when it was asked for its images: for the write of whoever has asked. */
export async function noteImages(
  tx: Tx,
  found: readonly { uuid: string; pool: string; size?: number }[],
  looked: { node: string; asked: Date },
): Promise<void> {
  const { there, gone } = afterLooking(await copiesAt(tx, ofNode(looked.node)), found, looked);
  for (const copy of gone) await tx.delete(nodeImages, copyId(copy));
  for (const copy of there) {
    const isKnown = (await tx.get(nodeImages, copyId(copy))) !== undefined;
    await (isKnown ? tx.replace(nodeImages, copy) : tx.insert(nodeImages, copy));
  }
}

/** As they are in the catalog: at a place such as `ofImage(uuid)`. */
export async function copiesAt(reader: Pick<Reader, 'range'>, place: string): Promise<NodeImage[]> {
  const found: NodeImage[] = [];
  const at = place.indexOf(':');
  for await (const { record } of reader.range(nodeImages, place.slice(0, at), { prefix: place.slice(at + 1) })) {
    if (placesOfCopy(record).includes(place)) found.push(record);
  }
  return found;
}

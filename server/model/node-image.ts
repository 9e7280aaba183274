export const nodeImageStates = ['ready', 'importing', 'deleting'] as const;
export type NodeImageState = (typeof nodeImageStates)[number];

/** An image on a pool of a node, as it was found there, or as it comes or goes. */
export interface NodeImage {
  node: string;
  pool: string;
  /** Its uuid. */
  image: string;
  state: NodeImageState;
  /** What brings it or takes it away. */
  task?: string;
  /** Bytes that it takes there. */
  size?: number;
  /** When it was there last. */
  seen?: string;
  changed: string;
}

const idOf = ({ node, pool, image }: Pick<NodeImage, 'node' | 'pool' | 'image'>) => JSON.stringify([node, pool, image]);

export const nodeImages = {
  name: 'node-images',
  id: idOf,
  index: ({ node, pool, image }: NodeImage) => [`image:${image}`, `node:${node}`, `pool:${node}/${pool}`],
};

import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import { type NodeToken, nodePath, nodeTokenKey, nodeTokens, presentNodeToken } from '../model/node-token.js';
import { checkGives, expiryFrom, type Grant, hashToken } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { nodeNamed } from './save-node.js';
import { makeSecret } from './token-secret.js';
import { publicUrlIn } from './url-of-node.js';

export interface NodeTokenWish {
  expires?: string | undefined;
  /** The data center to which the node may bring images. */
  publish?: string | undefined;
  pinned?: boolean | undefined;
}

interface Address {
  node: string;
  name: string;
}

/** The new token with its secret, and the source that imgadm is given, which nobody will see again. */
export async function createNodeToken(deps: Deps, caller: Caller, own: Grant, address: Address, wish: NodeTokenWish) {
  const { catalog, now } = deps;
  const made = now();
  const expires = wish.expires === undefined ? undefined : expiryFrom(wish.expires, made);
  checkGives(own, { scope: wish.publish === undefined ? 'read' : 'write', expires });
  const secret = makeSecret();
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const node = await nodeNamed(tx, address.node);
    if (await tx.find(nodeTokens, nodeTokenKey(node.name, address.name))) {
      throw new ImgapiError('ObjectAlreadyExists', `node "${node.name}" has a token "${address.name}" already`);
    }
    const { publish, pinned = true } = wish;
    if (publish !== undefined && !(await tx.get(datacenters, publish))) {
      throw invalidInput([
        { field: 'publish', code: 'Invalid', message: `publish names no data center: "${publish}"` },
      ]);
    }
    const token: NodeToken = {
      hash: hashToken(secret),
      name: address.name,
      node: node.name,
      created: made.toISOString(),
      ...(expires !== undefined && { expires }),
      ...(publish !== undefined && { publish }),
      ...(!pinned && { unpinned: true }),
    };
    await tx.insert(nodeTokens, token);
    const path = nodePath(secret);
    const url = publicUrlIn(deps, node.datacenters);
    const source = url === undefined ? null : `${url}${path}`;
    return { ...presentNodeToken(token, node, made), token: secret, path, source };
  });
}

export async function listNodeTokens({ catalog, now, uses }: Deps, nodeName: string) {
  const node = await nodeNamed(catalog, nodeName);
  const found: ReturnType<typeof presentNodeToken>[] = [];
  for await (const { record } of catalog.range(nodeTokens, 'node', { prefix: nodeName })) {
    if (record.node === nodeName) found.push(presentNodeToken(uses.of(record), node, now()));
  }
  return found;
}

/** From the next request on nobody gets in with it. */
export async function revokeNodeToken({ catalog }: Deps, caller: Caller, own: Grant, address: Address): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const node = await nodeNamed(tx, address.node);
    const token = await tx.find(nodeTokens, nodeTokenKey(node.name, address.name));
    if (!token) throw new ImgapiError('ResourceNotFound', `node "${node.name}" has no token "${address.name}"`);
    await tx.delete(nodeTokens, token.hash);
  });
}

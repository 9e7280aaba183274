import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { nodePath, nodeTokens } from '../model/node-token.js';
import { hasEnded, type Task, tasks } from '../model/task.js';
import { hashToken } from '../model/token.js';
import { withoutSecret } from '../model/without-secret.js';
import { nodeNamed } from './save-node.js';
import { makeSecret } from './token-secret.js';

/** The end of a token that nobody could take back, in milliseconds. */
const LONGEST = 24 * 60 * 60 * 1000;

export interface Lent {
  /** The IMGAPI that the node asks, with the token in it: for the node only. */
  source: string;
  /** Bytes that have gone out to it. */
  sent(): number;
}

interface Lending {
  /** By name. */
  node: string;
  /** Where the node finds this server. */
  url: string;
  task: Task;
  /** Bytes a second that go out to it; as many as there are where it is absent. */
  bandwidth?: number | undefined;
}

/**
 * For as long as it is used, the node has a token of its own for a task. What fails is told without it, whoever has put
 * it there.
 */
export async function lendToken<R>(
  deps: Deps,
  { node, url, task, bandwidth }: Lending,
  use: (lent: Lent) => Promise<R>,
): Promise<R> {
  const { catalog, now, nodeWork, log } = deps;
  const secret = makeSecret();
  const hash = hashToken(secret);
  await catalog.write(async (tx) => {
    await nodeNamed(tx, node);
    await takeBack(tx, task.id);
    const expires = new Date(now().getTime() + LONGEST).toISOString();
    const name = `task-${task.id}`;
    const lent = { hash, name, node, created: now().toISOString(), expires, task: task.id };
    await tx.insert(nodeTokens, { ...lent, ...(bandwidth !== undefined && { bandwidth }) });
  });
  const { sent, stop } = nodeWork.watch(hash, bandwidth);
  try {
    return await use({ source: `${url}${nodePath(secret)}`, sent });
  } catch (error) {
    throw cleaned(error, secret);
  } finally {
    stop();
    await catalog
      .write((tx) => takeBack(tx, task.id))
      .catch((err: unknown) => log.error({ err, task: task.id }, 'a token could not be taken back; the sweep will'));
  }
}

/** What stands behind it is left out: it may be in the words of the node. */
function cleaned(error: unknown, secret: string): unknown {
  if (error instanceof ImgapiError) return new ImgapiError(error.code, withoutSecret(error.message, secret));
  if (!(error instanceof Error)) return error;
  const told = new Error(withoutSecret(error.message, secret));
  told.stack = withoutSecret(error.stack ?? '', secret);
  return told;
}

export async function takeBack(tx: Tx, task: string): Promise<void> {
  const held: string[] = [];
  for await (const { record } of tx.range(nodeTokens, 'task', { prefix: task })) held.push(record.hash);
  for (const hash of held) await tx.delete(nodeTokens, hash);
}

/** Those of tasks that have ended. */
export async function sweepLentTokens({ catalog }: Pick<Deps, 'catalog'>): Promise<void> {
  for await (const { record } of catalog.range(nodeTokens, 'task')) {
    const { task: id = '' } = record;
    const task = await catalog.get(tasks, id);
    if (!task || hasEnded(task)) await catalog.write((tx) => takeBack(tx, id));
  }
}

import { randomUUID } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import {
  afterAttempt,
  type Campaign,
  type CampaignNode,
  type Counts,
  campaignNodes,
  campaigns,
  countsOf,
  isOver,
  isTurn,
  notBack,
  type Refusal,
  shareOf,
} from '../model/campaign.js';
import { usualPool } from '../model/node-status.js';
import { hasEnded, type Task, tasks } from '../model/task.js';
import { askNodeSoon } from './ask-node.js';
import { callerNow, checkStillManagesNodes } from './check-still-manages-nodes.js';
import { campaignNamed, cancelPulls, nodesOf, pullsIn } from './save-campaign.js';
import { nodeNamed } from './save-node.js';
import { startPull } from './start-pull.js';
import type { Work } from './work.js';

/** Each node fetches by a task of its own; this one sees to it that they do, so many side by side. */
export async function performCampaign(deps: Deps, task: Task, work: Work): Promise<Counts> {
  const { campaign: name } = task.params as { campaign: string };
  checkStillManagesNodes(deps, task);
  const campaign = await campaignNamed(deps.catalog, name);
  const rounds = new Rounds(deps, task, work, campaign, await nodesOf(deps.catalog, name));
  try {
    return await rounds.run();
  } finally {
    await cancelIfStopped(deps, task, rounds);
  }
}

/** A server that stops lets them go on after its next start; whoever stops a campaign wants none of it to go on. */
async function cancelIfStopped(deps: Deps, { id }: Task, rounds: Rounds): Promise<void> {
  const task = await deps.catalog.get(tasks, id);
  if (task?.status === 'REVOKED') await cancelPulls(deps, pullsIn(rounds.nodes()));
}

class Rounds {
  readonly #known: Map<string, CampaignNode>;
  /** Somebody is at it. */
  readonly #taken = new Set<string>();

  constructor(
    private readonly deps: Deps,
    private readonly task: Task,
    private readonly work: Work,
    private readonly campaign: Campaign,
    nodes: readonly CampaignNode[],
  ) {
    this.#known = new Map(nodes.map((one) => [one.node, one]));
  }

  nodes(): CampaignNode[] {
    return [...this.#known.values()];
  }

  async run(): Promise<Counts> {
    // None of them may begin anything after it was stopped: all are waited for.
    const ends = await Promise.allSettled(Array.from({ length: this.campaign.atOnce }, () => this.#serve()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return this.#finish();
  }

  /** Takes one node after another. One that waits for its node to come back takes nobody's place. */
  async #serve(): Promise<void> {
    for (;;) {
      this.work.signal.throwIfAborted();
      await this.#giveUpWaiting();
      const next = this.#take();
      if (next) await this.#attempt(next);
      else if (this.nodes().every(isOver)) return this.deps.nodeWork.wake();
      else await this.#pause();
    }
  }

  /** What was under way when the server stopped goes first. */
  #take(): CampaignNode | undefined {
    const now = this.deps.now();
    const free = this.nodes().filter(({ node }) => !this.#taken.has(node));
    const isOnline = ({ node }: CampaignNode) => this.deps.nodeBook.statusOf(node)?.online;
    const next = free.find(({ state }) => state === 'pulling') ?? free.find((one) => isTurn(one, isOnline(one), now));
    if (next) this.#taken.add(next.node);
    return next;
  }

  async #attempt(one: CampaignNode): Promise<void> {
    try {
      const { pulling, refusal } = await this.#pull(one);
      const { pauses } = this.deps.nodeWork.patience;
      await this.#keep(afterAttempt(pulling, refusal, { now: this.deps.now(), pauses }));
    } finally {
      this.#taken.delete(one.node);
      this.deps.nodeWork.wake();
    }
  }

  async #pull(one: CampaignNode): Promise<{ pulling: CampaignNode; refusal: Refusal | undefined }> {
    const { deps } = this;
    const begun = one.state === 'pulling' && one.task !== undefined && (await deps.catalog.get(tasks, one.task));
    const pulling = begun ? one : await this.#begin(one);
    const { task: id = '' } = pulling;
    try {
      if (!begun) await this.#start(pulling.node, id);
      await deps.tasks.settled(id, this.work.signal);
      this.work.signal.throwIfAborted();
      return { pulling, refusal: refusalIn(await deps.catalog.get(tasks, id)) };
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      return { pulling, refusal: error };
    }
  }

  /** The task is known before there is one: whatever happens between, it is found again, or begun. */
  async #begin({ campaign, node, tries }: CampaignNode): Promise<CampaignNode> {
    const at = this.deps.now().toISOString();
    const pulling: CampaignNode = { campaign, node, state: 'pulling', at, tries, task: randomUUID() };
    await this.#keep(pulling);
    return pulling;
  }

  async #start(node: string, id: string): Promise<void> {
    const { deps, campaign, task } = this;
    const bandwidth = shareOf(campaign, this.nodes().filter((one) => !isOver(one)).length);
    const pool = campaign.pool ?? (await this.#poolOf(node));
    const wish = { node, pool, image: campaign.image, id, bandwidth };
    await startPull(deps, callerNow(deps, task), wish);
  }

  async #poolOf(name: string): Promise<string> {
    const node = await nodeNamed(this.deps.catalog, name);
    const described =
      this.deps.nodeBook.statusOf(name)?.described ??
      (await askNodeSoon(this.deps, node, (hypervisor, signal) => hypervisor.describe(signal)));
    const pool = usualPool(described);
    if (pool) return pool.name;
    const there = described.pools.map((one) => one.name).join(', ') || 'none';
    throw new ImgapiError('NodeUnsuitable', `say which pool: node ${name} has ${there}`);
  }

  /** With how far all of it is. Throws where the campaign was stopped meanwhile. */
  async #keep(one: CampaignNode): Promise<void> {
    const known = new Map(this.#known).set(one.node, one);
    const counts = countsOf(known.values());
    const done = known.size - counts.waiting - counts.pulling;
    await this.deps.catalog.write(async (tx) => {
      await this.work.keep(tx, { progress: { done, total: known.size }, result: counts });
      await tx.replace(campaignNodes, one);
    });
    this.#known.set(one.node, one);
  }

  async #giveUpWaiting(): Promise<void> {
    const { until } = this.campaign;
    const now = this.deps.now();
    if (Date.parse(until) > now.getTime()) return;
    const late = this.nodes().filter((one) => one.away && !this.#taken.has(one.node));
    for (const one of late) await this.#keep(notBack(one, until, now));
  }

  /** Until something happens to a node, or it is somebody's turn. */
  async #pause(): Promise<void> {
    const { signal } = this.work;
    const now = this.deps.now().getTime();
    const waiting = this.nodes().filter(({ state, node }) => state === 'waiting' && !this.#taken.has(node));
    const turns = waiting.flatMap(({ next, away }) => [next ?? '', ...(away ? [this.campaign.until] : [])]);
    const soonest = Math.min(...turns.filter((at) => at !== '').map((at) => Date.parse(at)));
    const left = Number.isFinite(soonest) ? Math.min(Math.max(0, soonest - now), 2 ** 31 - 1) : undefined;
    const over = left === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(left)]);
    await this.deps.nodeWork.woken(over).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!over.aborted) throw error;
    });
  }

  async #finish(): Promise<Counts> {
    const { deps, task, work, campaign } = this;
    const counts = countsOf(this.nodes());
    const finished = deps.now().toISOString();
    await deps.catalog.write(async (tx) => {
      const now = await campaignNamed(tx, campaign.name);
      const state = counts.failed > 0 ? ('failed' as const) : ('done' as const);
      if (now.task === task.id) await tx.replace(campaigns, { ...now, state, finished });
      await work.keep(tx, { progress: { done: this.#known.size, total: this.#known.size }, result: counts });
    });
    return counts;
  }
}

/** Why a pull has come to nothing; nothing where it has come to its end. */
function refusalIn(task: Task | undefined): Refusal | undefined {
  if (task?.status === 'SUCCESS') return undefined;
  if (!task || !hasEnded(task)) return { code: 'Busy', message: 'its task is not there any more' };
  if (task.status === 'REVOKED') return { code: 'Cancelled', message: `its task ${task.id} was cancelled` };
  const { code, detail } = Object(task.result);
  return { code: String(code), message: String(detail) };
}

import type { Deps } from '../deps.js';
import { type Campaign, type CampaignNode, countsOf } from '../model/campaign.js';
import { type Task, tasks } from '../model/task.js';
import { nodesOf } from './save-campaign.js';

type Reading = Pick<Deps, 'catalog' | 'tasks'>;

/** A campaign, and how many of its nodes are how far. */
export async function summaryOf(deps: Pick<Deps, 'catalog'>, campaign: Campaign) {
  return summary(campaign, await nodesOf(deps.catalog, campaign.name));
}

function summary(campaign: Campaign, nodes: readonly CampaignNode[]) {
  const { name, image, imageName, pool = null, atOnce, bandwidth = null, until, state, task, created } = campaign;
  const { finished = null, error = null } = campaign;
  const of = { name, image, image_name: imageName, pool, at_once: atOnce, bandwidth, until, state, task, created };
  return { ...of, finished, error, total: nodes.length, ...countsOf(nodes) };
}

/** With each of its nodes, and how far those are that fetch. */
export async function showCampaign(deps: Reading, campaign: Campaign) {
  const all = await nodesOf(deps.catalog, campaign.name);
  const nodes = [];
  for (const one of all) nodes.push(await nodeOf(deps, one));
  return { ...summary(campaign, all), nodes };
}

async function nodeOf(deps: Reading, { node, state, tries, task, error, away, next, at }: CampaignNode) {
  const pull = state === 'pulling' && task !== undefined ? await deps.catalog.get(tasks, task) : undefined;
  return {
    node,
    state,
    away: away === true,
    tries,
    task: task ?? null,
    progress: pull ? progressOf(deps, pull) : null,
    error: error ?? null,
    next: next ?? null,
    at,
  };
}

function progressOf({ tasks: runner }: Reading, task: Task) {
  const { done, total = null, rate = null } = runner.progressOf(task) ?? { done: 0 };
  return { done, total, rate };
}

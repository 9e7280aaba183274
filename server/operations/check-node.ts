import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { HostUnreachable, type Unreached } from '../hypervisors/host.js';
import type { Hypervisor } from '../hypervisors/hypervisor.js';
import type { Node } from '../model/node.js';
import {
  clockOn,
  type Finding,
  fine,
  inOrder,
  type NodeCheckName,
  poolsOn,
  toolsOn,
  unseen,
  wrong,
} from '../model/node-check.js';
import { askNode } from './ask-node.js';
import { readDescription } from './read-inventory.js';
import { urlOfNode } from './url-of-node.js';

/** In milliseconds. */
const LIMIT = 30_000;

type Findings = Map<NodeCheckName, Finding>;

/** What a node must have for us, looked at now: whatever is wrong with it is told, and nothing is thrown for it. */
export async function checkNode(deps: Deps, node: Node) {
  const found: Findings = new Map([
    ['address', addressOf(node)],
    ['publicUrl', publicUrlOf(deps, node)],
    ['inventory', inventoryOf(deps, node)],
  ]);
  if (node.connection) {
    const limit = AbortSignal.timeout(LIMIT);
    try {
      await askNode(deps, node, limit, (hypervisor) => look(deps, node, hypervisor, { found, signal: limit }));
    } catch (error) {
      blame(found, limit.aborted ? tooSlow() : error, node);
    }
  }
  return inOrder(found);
}

function addressOf({ name, connection }: Node): Finding {
  if (!connection) return wrong('nobody has said how it is reached by ssh', `slipway node set ${name} --address HOST`);
  const { user, address, port } = connection;
  return fine(`${user}@${address}:${port}`);
}

function publicUrlOf(deps: Deps, node: Node): Finding {
  try {
    return fine(urlOfNode(deps, node));
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    return wrong(error.message, 'set publicUrl of the server to a URL that nodes reach');
  }
}

function inventoryOf({ nodeBook }: Deps, { name }: Node): Finding {
  const { inventoried, reason } = nodeBook.statusOf(name) ?? {};
  if (inventoried === undefined) return unseen('it was never taken');
  return reason === undefined
    ? fine(`taken ${inventoried}`)
    : wrong(`taken ${inventoried}, then: ${reason}`, again(name));
}

const again = (name: string) => `slipway node refresh ${name}`;

interface Looking {
  found: Findings;
  signal: AbortSignal;
}

async function look(deps: Deps, node: Node, hypervisor: Hypervisor, { found, signal }: Looking): Promise<void> {
  const described = readDescription(await hypervisor.describe(signal));
  for (const { check, met } of steps) found.set(check, fine(met));
  found.set('platform', fine(`${described.platform} ${described.version} on ${described.hostname}`));
  found.set('tools', toolsOn(described));
  found.set('pools', poolsOn(described));
  const clock = clockOn(await deps.hypervisors.clockOf(node, signal), deps.now());
  found.set('clock', clock);
  if (found.get('publicUrl')?.ok && hypervisor.reaches)
    found.set('way back', await wayBack(urlOfNode(deps, node), hypervisor, signal));
}

async function wayBack(url: string, hypervisor: Hypervisor, signal: AbortSignal): Promise<Finding> {
  try {
    await hypervisor.reaches?.(url, signal);
    return fine(`the node reaches ${url}`);
  } catch (error) {
    if (signal.aborted || error instanceof HostUnreachable) throw error;
    return wrong(messageOf(error), `have the node resolve and reach ${url}`);
  }
}

/** On the way to a node; who fails at one has met those before it. */
const steps = [
  { check: 'reachable', met: 'it answers', advice: 'is it up, is its address right, does a firewall let ssh through?' },
  { check: 'host key', met: 'the one that is known', advice: 'if the node was installed anew, take its new host key' },
  {
    check: 'login',
    met: 'it lets this server in',
    advice: 'put the line of "slipway node key" into its authorized_keys',
  },
  {
    check: 'platform',
    met: '',
    advice: 'say with --platform what runs there; its user must be allowed to use the tools',
  },
] as const;

const failsAt: Readonly<Record<Unreached, number>> = {
  unreachable: 0,
  timeout: 0,
  lost: 0,
  'host-key': 1,
  authentication: 2,
};

function blame(found: Findings, error: unknown, { name }: Node): void {
  const cause = error instanceof ImgapiError ? error.cause : error;
  const isLooking = found.has('platform');
  if (isLooking && !(cause instanceof HostUnreachable)) {
    found.set('clock', wrong(messageOf(error), again(name)));
    return;
  }
  const at = cause instanceof HostUnreachable ? failsAt[cause.reason] : steps.length - 1;
  for (const [n, { check, met, advice }] of steps.entries()) {
    if (n < at) found.set(check, fine(met));
    else if (n === at) found.set(check, wrong(messageOf(error), advice));
    else found.delete(check);
  }
}

const tooSlow = () =>
  new HostUnreachable('', 'timeout', `it did not answer all that it was asked within ${LIMIT / 1000} seconds`);

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 500);

import { meet } from './networks.js';
import type { Node } from './node.js';
import { OperatorMistake } from './operator-mistake.js';

/** Proxies can become trusted after nodes were told: everybody behind such a one would be the node. */
export function checkNodes(nodes: Iterable<Node>, proxies: readonly string[]): void {
  for (const { name, addresses } of nodes) {
    const [network, proxy] =
      addresses.flatMap((one) => proxies.filter((other) => meet(one, other)).map((other) => [one, other]))[0] ?? [];
    if (network === undefined) continue;
    throw new OperatorMistake(
      `node ${name}: its network ${network} holds the trusted proxy ${proxy}, so everybody behind it would be that node: ` +
        'take the proxy from trustedProxies, start, and change the addresses of the node',
    );
  }
}

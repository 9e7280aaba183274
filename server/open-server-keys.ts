import { join } from 'node:path';
import { AuditKey, auditKeyIn, findAuditKey, openAuditKey } from './audit/key.js';
import type { Settings } from './config/settings.js';
import { findNodeKey, makeKey, type NodeKey, nodeKeyIn, openNodeKey } from './hypervisors/node-key.js';
import type { ServerKeyName } from './model/server-key.js';
import { type KeyStores, knownServerKey, shareServerKey } from './sealing/server-keys.js';

/** How the server proves itself, to auditors and to nodes. */
export interface ServerKeysOpened {
  audit: AuditKey;
  node: NodeKey;
}

/**
 * Where several daemons are one server, the keys are in the catalog, sealed: what a daemon that was alone has in files goes
 * there. Where there is one daemon, files win; without them come those that a catalog has brought along from elsewhere.
 */
export async function openServerKeys({ data, database }: Settings, stores: KeyStores): Promise<ServerKeysOpened> {
  const files = { audit: join(data, 'audit-key'), node: join(data, 'node-key') };
  const inCatalog = (name: ServerKeyName) => `the ${name} key in the catalog`;
  if (database === undefined) {
    const known = { audit: await knownServerKey(stores, 'audit'), node: await knownServerKey(stores, 'node') };
    return {
      audit:
        (await findAuditKey(files.audit)) ??
        (known.audit === undefined ? await openAuditKey(files.audit) : auditKeyIn(known.audit, inCatalog('audit'))),
      node:
        (await findNodeKey(files.node)) ??
        (known.node === undefined ? await openNodeKey(files.node) : nodeKeyIn(known.node, inCatalog('node'))),
    };
  }
  const audit = async () => ((await findAuditKey(files.audit)) ?? new AuditKey()).toPem();
  const node = async () => ((await findNodeKey(files.node)) ?? makeKey('slipway')).private;
  return {
    audit: auditKeyIn(await shareServerKey(stores, 'audit', audit), inCatalog('audit')),
    node: nodeKeyIn(await shareServerKey(stores, 'node', node), inCatalog('node')),
  };
}

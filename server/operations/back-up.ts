import { Backup } from '../../storage/backup.js';
import type { Snapshot } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { auditHeads } from '../model/audit.js';
import { closeWith } from './passphrase.js';

/** Where the secrets of the server stand in a backup, if at all. */
export const SEALED = 'sealed';

/**
 * All that this server keeps, as it is now. What it keeps secret is in it only under a passphrase. To be closed, because
 * until then nothing is collected.
 */
export async function backUp(deps: Deps, passphrase: string | undefined): Promise<Backup> {
  const { catalog, blobs, policy, now, audit } = deps;
  // What is gathered would otherwise be missing.
  await audit.flush();
  return Backup.open(
    { catalog, blobs },
    { created: now(), server: policy.version, files: (snapshot) => filesOf(deps, snapshot, passphrase) },
  );
}

async function filesOf({ audit, beside, now }: Deps, snapshot: Snapshot, passphrase: string | undefined) {
  const files = await beside.open();
  const time = now().toISOString();
  const heads: object[] = [];
  // Those of the moment: the file has others by now.
  for await (const { chain, seq, hash } of snapshot.list(auditHeads))
    heads.push(audit.sign({ chain, seq, hash, time }));
  files.set('audit-head', Buffer.from(`${JSON.stringify(heads, null, 2)}\n`));
  files.set('audit-key', Buffer.from(audit.privateKey));
  if (passphrase !== undefined) {
    const secrets = Array.from(await beside.secret(), ([name, bytes]) => [name, bytes.toString('base64')]);
    files.set(SEALED, await closeWith(passphrase, Buffer.from(JSON.stringify(Object.fromEntries(secrets)))));
  }
  return files;
}

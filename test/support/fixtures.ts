import { hashToken, tokens } from '../../server/model/token.js';
import { users, userUuid } from '../../server/model/user.js';
import type { TestServer, Wire } from './server.js';

/** A user with a token; `headers` are the credentials. */
export async function addUser({ deps }: TestServer, name: string, { superAdmin = false } = {}) {
  const uuid = userUuid(name);
  const created = deps.now().toISOString();
  const secret = `token-of-${name}`;
  await deps.catalog.write(async (tx) => {
    await tx.insert(users, { uuid, name, superAdmin, created });
    await tx.insert(tokens, { hash: hashToken(secret), name: 'test', user: uuid, created });
  });
  return { uuid, headers: { authorization: `Bearer ${secret}` } };
}

/** Uuids that sort as their numbers do. */
export const numbered = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** An image with the uuid and the date of its manifest, as another image server has them. */
export async function importImage(
  { ask }: TestServer,
  manifest: Record<string, unknown> & { uuid: string },
  { query = '', file = 'the bytes', activate = true }: { query?: string; file?: string; activate?: boolean } = {},
): Promise<Wire> {
  const path = `/images/${manifest.uuid}`;
  const body = { v: 2, name: 'sample', version: '1.0.0', os: 'smartos', type: 'zone-dataset', ...manifest };
  const imported = await ask('POST', `${path}?action=import&skip_owner_check=true${query}`, { body });
  if (imported.status !== 200) throw new Error(`not imported: ${imported.bytes}`);
  const uploaded = await ask('PUT', `${path}/file?compression=none${query}`, { body: file });
  if (!activate) return uploaded.json;
  return (await ask('POST', `${path}?action=activate${query}`)).json;
}

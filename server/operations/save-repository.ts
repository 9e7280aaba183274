import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import { settingsOf } from '../model/datacenter-settings.js';
import { follows } from '../model/follow.js';
import {
  MOST_REPOSITORIES,
  type RepositoryRecord,
  type RepositorySetup,
  repositories,
  SETTING,
  SETTINGS_OF,
  setUp,
  urlsIn,
} from '../model/repository.js';
import type { Grant } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { usableSecret } from './find-secret.js';
import { forgetStale } from './refresh-repository.js';
import { setupsOf } from './repositories.js';
import { datacenterNamed } from './save-datacenter.js';

export interface RepositoryWish {
  url?: string | undefined;
  enabled?: boolean | undefined;
  /** None where it is null; so are the next two. */
  channel?: string | null | undefined;
  /** A stored secret that the caller may use, for the host of the URL. */
  secret?: string | null | undefined;
  ca?: string | null | undefined;
  insecure?: boolean | undefined;
  every?: number | undefined;
  authoritative?: boolean | undefined;
}

/** As it is set up, whether or not it is enabled. */
export function setupNamed(deps: Pick<Deps, 'directory' | 'repositories'>, name: string): RepositorySetup {
  const found = setupsOf(deps).find((setup) => setup.name === name);
  if (!found) throw noSuch(name);
  return found;
}

/** The same, as a write sees it. */
export async function setupIn(reader: Reader, name: string): Promise<RepositorySetup> {
  const urls = await urlsNow(reader);
  const url = Object.hasOwn(urls, name) ? urls[name] : undefined;
  if (url === undefined) throw noSuch(name);
  return setUp(name, url, await reader.get(repositories, name));
}

const noSuch = (name: string) => new ImgapiError('ResourceNotFound', `there is no repository "${name}"`);

/** Its name and URL go into the settings, in the same write. */
export async function createRepository(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: RepositoryWish & { url: string },
): Promise<RepositorySetup> {
  return deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const urls = await urlsNow(tx);
    if (Object.hasOwn(urls, name)) {
      throw new ImgapiError('ObjectAlreadyExists', `repository "${name}" exists already`);
    }
    if (Object.keys(urls).length >= MOST_REPOSITORIES) {
      const message = `name: there are ${MOST_REPOSITORIES} repositories, and there can be no more`;
      throw invalidInput([{ field: 'name', code: 'Invalid', message }]);
    }
    await setUrls(tx, { ...urls, [name]: wish.url });
    const record = changed({ name, every: 0 }, await withSecret(tx, caller, wish, wish));
    await tx.insert(repositories, record);
    return setUp(name, wish.url, record);
  });
}

export async function updateRepository(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: RepositoryWish,
): Promise<RepositorySetup> {
  const setup = await deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const urls = await urlsNow(tx);
    const before = Object.hasOwn(urls, name) ? urls[name] : undefined;
    if (before === undefined) throw noSuch(name);
    const { url = before } = wish;
    if (url !== before) await setUrls(tx, { ...urls, [name]: url });
    const existing = await tx.get(repositories, name);
    const { enabled } = setUp(name, before, existing);
    // What was an answer to another question is of no use for this one.
    const asksOther = wish.channel !== undefined && (wish.channel ?? undefined) !== existing?.channel;
    const secret = wish.secret === undefined ? existing?.secret : wish.secret;
    const wanted = await withSecret(tx, caller, wish, { url, secret });
    const record = changed({ name, every: 0, ...existing, enabled }, wanted);
    const { state, ...stateless } = record;
    const kept = asksOther || state?.url !== url ? stateless : record;
    if (existing) await tx.replace(repositories, kept);
    else await tx.insert(repositories, kept);
    return setUp(name, url, kept);
  });
  await forgetStale(deps);
  return setup;
}

/** With the reference of the secret: where the URL changes, it has to be one for the new host too. */
async function withSecret(
  tx: Tx,
  caller: Caller,
  wish: RepositoryWish,
  { url, secret }: Pick<RepositoryWish, 'url' | 'secret'>,
): Promise<RepositoryWish> {
  if (secret === undefined || secret === null) return wish;
  return { ...wish, secret: await usableSecret(tx, caller, { name: secret, ...(url !== undefined && { url }) }) };
}

/** What was remembered of it goes with it. */
export async function deleteRepository(deps: Deps, caller: Caller, own: Grant, name: string): Promise<void> {
  await deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const urls = await urlsNow(tx);
    if (!Object.hasOwn(urls, name)) throw noSuch(name);
    await checkUnfollowed(tx, name);
    const { [name]: _, ...others } = urls;
    await setUrls(tx, others);
    if (await tx.get(repositories, name)) await tx.delete(repositories, name);
  });
  await forgetStale(deps);
}

async function checkUnfollowed(tx: Tx, name: string): Promise<void> {
  const following: string[] = [];
  for await (const { record } of tx.range(follows, 'repository', { prefix: name })) {
    if (record.repository === name) following.push(record.name);
  }
  if (following.length === 0) return;
  const message = `repository ${name} is followed by ${following.join(', ')}: delete that first`;
  throw new ImgapiError('RepositoryInUse', message);
}

/** What the settings do not name any more goes in the write that changes them. */
export async function dropUnnamed(tx: Tx, urls: Readonly<Record<string, string>>): Promise<void> {
  const gone: string[] = [];
  for await (const { name } of tx.list(repositories)) if (!Object.hasOwn(urls, name) && !isLocal(name)) gone.push(name);
  for (const name of gone) await tx.delete(repositories, name);
}

/** No setting has a name that begins so. */
const isLocal = (name: string) => name.startsWith('_');

const urlsNow = async (reader: Reader) => urlsIn(settingsOf(await datacenterNamed(reader, SETTINGS_OF)));

async function setUrls(tx: Tx, urls: Record<string, string>): Promise<void> {
  const main = await datacenterNamed(tx, SETTINGS_OF);
  await tx.replace(datacenters, { ...main, settings: { ...main.settings, [SETTING]: urls } });
}

function changed(before: RepositoryRecord, wish: RepositoryWish): RepositoryRecord {
  const { name, enabled = true, every, insecure = false, authoritative = false, state } = before;
  const channel = chosen(wish.channel, before.channel);
  const secret = chosen(wish.secret, before.secret);
  const ca = chosen(wish.ca, before.ca);
  return {
    name,
    enabled: wish.enabled ?? enabled,
    every: wish.every ?? every,
    ...(channel !== undefined && { channel }),
    ...(secret !== undefined && { secret }),
    ...(ca !== undefined && { ca }),
    ...((wish.insecure ?? insecure) && { insecure: true }),
    ...((wish.authoritative ?? authoritative) && { authoritative: true }),
    ...(state && { state }),
  };
}

const chosen = <T>(wish: T | null | undefined, before: T | undefined) =>
  wish === undefined ? before : (wish ?? undefined);

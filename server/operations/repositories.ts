import { ImgapiClient } from '../../imgapi/client.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { openImgapiSource } from '../../storage/open.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import { settingsOf } from '../model/datacenter-settings.js';
import { type RepositorySetup, SETTINGS_OF, setUp, urlsIn } from '../model/repository.js';
import { withoutSecrets } from '../model/token.js';
import type { Repository, RepositoryBook } from './repository-book.js';

/** The lists of some servers have moved. */
const REDIRECTS = 5;

/** All that are set up, enabled or not, by name. */
export const setupsOf = ({ directory, repositories: { records } }: Pick<Deps, 'directory' | 'repositories'>) =>
  Object.entries(urlsIn(directory.settingsOf(SETTINGS_OF)))
    .map(([name, url]) => setUp(name, url, records.get(name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

const noSuchRepository = (name: string) =>
  new ImgapiError('ResourceNotFound', `there is no repository "${name}" that is enabled`);

/** One that images can be had from. */
export function repositoryOf(deps: Deps, name: string): Repository {
  const { local } = deps.repositories;
  if (local?.name === name) return local;
  const setup = setupsOf(deps).find((one) => one.name === name);
  if (!setup?.enabled) throw noSuchRepository(name);
  return remote(deps, setup);
}

/** The same, for those who may know of it. */
export function findRepository(deps: Deps, caller: Caller, name: string): Repository {
  const found = repositoryOf(deps, name);
  if (found.isLocal && !isOperator(caller)) throw noSuchRepository(name);
  return found;
}

export function listRepositories(deps: Deps, caller: Caller): Repository[] {
  const { local } = deps.repositories;
  const others = setupsOf(deps)
    .filter(({ enabled }) => enabled)
    .map((setup) => remote(deps, setup));
  return local && isOperator(caller) ? [...others, local] : others;
}

/** How it stands: of what was asked of another URL nothing is known. */
export function stateOf({ records }: RepositoryBook, { name, url }: Pick<Repository, 'name' | 'url'>) {
  const state = records.get(name)?.state;
  return state?.url === url ? state : undefined;
}

/** Where the settings say that it is; nothing where there is none. */
export async function urlOf(reader: Reader, { local }: RepositoryBook, name: string): Promise<string | undefined> {
  if (local?.name === name) return local.url;
  const main = await reader.get(datacenters, SETTINGS_OF);
  const urls = urlsIn(settingsOf(main ?? { name: SETTINGS_OF, settings: {} }));
  return Object.hasOwn(urls, name) ? urls[name] : undefined;
}

/** To ask one that images are to be brought to; the folder of this server takes none. */
export function clientOf(deps: Deps, name: string): ImgapiClient {
  const setup = setupsOf(deps).find((one) => one.name === name);
  if (!setup?.enabled) throw noSuchRepository(name);
  return asking(deps, setup);
}

function asking({ outgoing }: Deps, { url, channel, secret, ca, insecure }: RepositorySetup): ImgapiClient {
  return new ImgapiClient(outgoing.to(inChannel(url, channel), { trusted: true, secret, ca, insecure }));
}

function remote(deps: Deps, setup: RepositorySetup): Repository {
  const { name, url, channel, authoritative = false } = setup;
  // Made when it is needed: a secret that is not there any more is what a refresh fails by.
  const client = () => asking(deps, setup);
  return {
    name,
    url,
    isLocal: false,
    authoritative,
    list: (signal, caps) => client().listImages({}, { signal, caps, redirects: REDIRECTS }),
    source: () => openImgapiSource(client(), new URL(url).host, { redirects: REDIRECTS }),
    manifestUrl: (uuid) => {
      const at = new URL(inChannel(url, channel));
      at.pathname = `${at.pathname.replace(/\/+$/, '')}/images/${uuid}`;
      return withoutSecrets(at.href);
    },
  };
}

function inChannel(url: string, channel: string | undefined): string {
  const at = new URL(url);
  if (channel !== undefined) at.searchParams.set('channel', channel);
  return at.href;
}

import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import { withoutSecrets } from '../../model/token.js';
import { browseRepository, showRemote, showRemotes } from '../../operations/browse-repository.js';
import { refreshAll } from '../../operations/refresh-all.js';
import { refreshRepository } from '../../operations/refresh-repository.js';
import { findRepository, listRepositories, stateOf } from '../../operations/repositories.js';
import type { Repository } from '../../operations/repository-book.js';
import { endpoint, noBody } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { remoteImage } from './remote-shape.js';
import { emptyBody, flag, whole } from './values.js';

const full = flag.describe('whole objects instead of names');

const store = z.strictObject({
  name: z.string(),
  url: z.string(),
  last_update: z.string().nullable().describe('of the last refresh that came to its end'),
  image_count: z.number(),
  error: z.string().nullable().describe('why the last refresh failed'),
  refreshing: z.boolean(),
  authoritative: z.boolean().describe('its uuids mean its images'),
});

function present({ repositories: book }: Deps, repository: Repository): z.output<typeof store> {
  const { name, url, authoritative } = repository;
  const { lastUpdate = null, count = 0, error = null } = stateOf(book, repository) ?? {};
  const refreshing = book.isRefreshing(name);
  return {
    name,
    url: withoutSecrets(url),
    last_update: lastUpdate,
    image_count: count,
    error,
    refreshing,
    authoritative,
  };
}

const operation = 'browse repositories';

export const list = endpoint({
  name: 'ListRepositories',
  summary: 'the repositories that images can be imported from',
  operation,
  query: z.strictObject({ ...paging, full }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(store)]),
  refusals: ['InvalidInput'],
  perform: async ({ caller, query: { full, ...paging } }, deps) => {
    const all = listRepositories(deps, caller).map((repository) => present(deps, repository));
    const { result, total, offset } = pageOf(all, paging, {
      name: ({ name }) => name,
      url: ({ url }) => url,
      image_count: ({ image_count }) => image_count,
      last_update: ({ last_update }) => last_update ?? '',
    });
    return new Page<unknown>(full ? result : result.map(({ name }) => name), total, offset);
  },
});

export const refreshEach = endpoint({
  name: 'RefreshRepositories',
  summary: 'asks every repository for its list again; refused where one failed, with what each failed by',
  operation,
  query: z.strictObject({}),
  body: emptyBody,
  status: 200,
  answer: z.array(store),
  refusals: ['RepositoryFailed'],
  perform: async ({ caller }, deps) => {
    const all = listRepositories(deps, caller);
    await refreshAll(deps, all);
    return all.map((repository) => present(deps, repository));
  },
});

export const show = endpoint({
  name: 'GetRepository',
  summary: 'a repository, and how its last refresh went',
  operation,
  query: z.strictObject({ full: flag }),
  body: noBody,
  status: 200,
  answer: store,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params }, deps) => present(deps, findRepository(deps, caller, params.repo ?? '')),
});

export const refresh = endpoint({
  name: 'RefreshRepository',
  summary: 'asks a repository for its list again',
  operation,
  query: z.strictObject({}),
  body: emptyBody,
  status: 200,
  answer: store,
  refusals: ['ResourceNotFound', 'RepositoryFailed', 'Busy'],
  perform: async ({ caller, params }, deps) => {
    const repository = findRepository(deps, caller, params.repo ?? '');
    await refreshRepository(deps, repository);
    return present(deps, repository);
  },
});

const image = z.strictObject({
  ...remoteImage,
  manifest: z.record(z.string(), z.unknown()).describe('as the repository has it'),
  manifest_url: z.string(),
});

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DAY = 24 * 60 * 60 * 1000;

/** A day means the whole of it. */
const moment = (edge: string) =>
  z
    .union([z.iso.date(), z.iso.datetime({ offset: true })], 'is neither a date such as 2026-01-31 nor a time')
    .transform((text) => new Date(DATE.test(text) ? `${text}T${edge}Z` : text));

/** Of `last`: from when on. */
const periods: Readonly<Record<string, (now: Date) => Date | undefined>> = {
  month: (now) => monthsBefore(now, 1),
  year: (now) => monthsBefore(now, 12),
  all: () => undefined,
};

const period = z
  .string()
  .regex(/^(month|year|all|\d{1,5}d?)$/, 'is not month, year, all, or a number of days such as 30d')
  .optional()
  .describe('published in the last so many days (30d), month or year');

function sinceOf(last: string, now: Date): Date | undefined {
  const known = periods[last];
  return known ? known(now) : new Date(now.getTime() - Number.parseInt(last, 10) * DAY);
}

function monthsBefore(now: Date, months: number): Date {
  const before = new Date(now);
  before.setUTCMonth(before.getUTCMonth() - months);
  return before;
}

export const images = endpoint({
  name: 'ListRepositoryImages',
  summary: 'the images of a repository as of its last refresh, the newest first',
  operation,
  query: z.strictObject({
    ...paging,
    full,
    os: z.string().max(32).optional(),
    ostype: whole(1, 6).optional(),
    since: moment('00:00:00').optional().describe('published then or later'),
    until: moment('23:59:59.999').optional().describe('published then or earlier'),
    last: period,
  }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(image)]),
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async ({ caller, params, query: { full, os, ostype, since, until, last, ...paging } }, deps) => {
    if (last !== undefined && since !== undefined) {
      const message = 'last: since says the same in another way; leave one of them out';
      throw invalidInput([{ field: 'last', code: 'Invalid', message }]);
    }
    const repository = findRepository(deps, caller, params.repo ?? '');
    const from = last === undefined ? since : sinceOf(last, deps.now());
    const found = browseRepository(deps, repository, { os, ostype, since: from, until });
    const { result, total, offset } = pageOf(
      found,
      { ...paging, order_by: paging.order_by ?? '-created' },
      {
        name: ({ name }) => name,
        created: ({ created }) => created,
        version: ({ version }) => version,
        desc: ({ desc }) => desc,
        os: ({ os }) => os,
        ostype: ({ ostype }) => ostype,
        state: ({ state }) => state,
        size: ({ size }) => size,
        download_size: ({ download_size }) => download_size,
        uuid: ({ uuid }) => uuid,
      },
    );
    const shown = full ? await showRemotes(deps, caller, repository, result) : result.map(({ uuid }) => uuid);
    return new Page<unknown>(shown, total, offset);
  },
});

export const showImage = endpoint({
  name: 'GetRepositoryImage',
  summary: 'an image of a repository as of its last refresh',
  operation,
  query: z.strictObject({ full: flag }),
  body: noBody,
  status: 200,
  answer: image,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params }, deps) =>
    showRemote(deps, caller, findRepository(deps, caller, params.repo ?? ''), params.uuid ?? ''),
});

import { z } from 'zod';
import { type DatacenterSettings, settingNames, settingSources } from '../../model/datacenter-settings.js';
import { answer as answerOf } from '../../model/permissions.js';
import { findsItself } from '../../model/public-url.js';
import { MOST_REPOSITORIES, REPOSITORY_NAME } from '../../model/repository.js';
import { changeSettings } from '../../operations/change-settings.js';
import { findDatacenter } from '../../operations/find-datacenter.js';
import { datacenterNamed } from '../../operations/save-datacenter.js';
import { endpoint, noBody, noQuery, showing } from './endpoint.js';
import { flag, listOf, remoteUrl, whole } from './values.js';

const imageName = z.string().regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/, 'is no name of an image');

const limit = z.union([whole(0), z.null()], 'is neither a whole number nor null, for any number');

const repositoryName = z.string().regex(REPOSITORY_NAME, 'is no name of a repository');

/** As in the configuration, and one that others can follow. */
const ownUrl = z.union(
  [
    z.literal('').transform(() => null),
    remoteUrl
      .refine((text) => !/[?#]/.test(text), 'has more than a path')
      .refine((text) => !URL.canParse(text) || !findsItself(text), 'is one by which every node finds itself')
      .transform((text) => text.replace(/\/+$/, '')),
  ],
  'is no http or https URL, without credentials and query, by which nodes reach this server',
);

/** What each may be. */
const rows = {
  anonymous: z.boolean(),
  privateUsableByDcAdmin: z.boolean(),
  VMS_IMAGE_LIMIT: limit,
  imageBytesLimit: limit,
  VMS_DISK_IMAGE_DEFAULT: imageName,
  VMS_DISK_IMAGE_ZONE_DEFAULT: imageName,
  VMS_DISK_IMAGE_LX_ZONE_DEFAULT: imageName,
  VMS_VM_SNAPSHOT_ENABLED: z.boolean(),
  publicUrl: ownUrl
    .nullable()
    .describe('by which its nodes reach this server; null or empty: by the publicUrl of the configuration'),
  VMS_IMAGE_VM: z.string().max(128).nullable().describe('null: this daemon; empty: records are kept, and no files'),
  VMS_IMAGE_VM_NIC: whole(1, 16),
  VMS_IMAGE_SOURCES: listOf(remoteUrl, 'http or https URLs').refine(
    (list) => list.length <= 16,
    'has more than 16 URLs',
  ),
  VMS_IMAGE_REPOSITORIES: z
    .record(repositoryName, remoteUrl)
    .refine((map) => Object.keys(map).length <= MOST_REPOSITORIES, `has more than ${MOST_REPOSITORIES} repositories`),
} satisfies { [Name in keyof DatacenterSettings]: z.ZodType<DatacenterSettings[Name]> };

const answer = z.strictObject({
  ...rows,
  publicUrl: z.string().nullable(),
  VMS_IMAGE_LIMIT: z.number().nullable(),
  imageBytesLimit: z.number().nullable(),
  VMS_IMAGE_VM_NIC: z.number(),
  VMS_IMAGE_SOURCES: z.array(z.string()),
});

const source = z.enum(settingSources);
const sources = Object.fromEntries(settingNames.map((name) => [name, source])) as {
  [Name in keyof DatacenterSettings]: typeof source;
};

const shown = z.strictObject({
  ...answer.shape,
  from: z.strictObject(sources).optional().describe('where each was set; only if full'),
  unset: answer.optional().describe('what would hold if nothing were set here; only if full, to who may change it'),
});

const full = flag.describe('with where each comes from, and what would hold if it were not set here');

export const show = showing({
  name: 'GetSettings',
  summary: 'what is set for a data center, with what it inherits',
  operation: 'show data centers',
  query: z.strictObject({ full }),
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params }, deps) => findDatacenter(deps, caller, 'show data centers', params.dc ?? ''),
  present: ({ name }, { caller, query }, { directory }) => {
    const { from, unset } = directory.settingsUnder(name);
    // What main says is nothing to those who see what is set here instead.
    const mayUnset = answerOf(caller, 'change settings', { datacenter: name }) === 'yes';
    return { ...directory.settingsOf(name), ...(query.full && { from, ...(mayUnset && { unset }) }) };
  },
});

export const update = endpoint({
  name: 'ChangeSettings',
  summary: 'sets what is named; the global settings in main only',
  operation: 'change settings',
  query: noQuery,
  body: z.strictObject(rows).partial().optional(),
  status: 200,
  answer,
  refusals: ['ResourceNotFound'],
  changes:
    ({ params }) =>
    (reader) =>
      datacenterNamed(reader, params.dc ?? ''),
  perform: ({ caller, own, params, body = {} }, deps) =>
    changeSettings(deps, caller, own, params.dc ?? '', given(body)),
});

/** Without the names of what was not sent. */
const given = <T extends object>(body: T) =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };

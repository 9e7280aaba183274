import { z } from 'zod';
import { ALIAS, accessFrom, DESCRIPTION, TAG, VERSION } from '../../model/managed-fields.js';
import { nodeImageStates } from '../../model/node-image.js';
import { actionNames } from '../../model/possible-actions.js';
import { badges } from '../../model/present-image.js';
import { type Access, labels } from '../../model/registration.js';
import { inList } from './tags.js';
import { listOf } from './values.js';

/** What images are on the wire of the management API. */

const levels = 'is not 1 (public), 3 (private) or 4 (deleted)';

export const access = z
  .union([z.number(), z.string().regex(/^\d$/).transform(Number)], levels)
  .refine((level) => accessFrom(level) !== undefined, levels)
  .transform((level): Access => accessFrom(level) ?? 'private')
  .describe('1 public, 3 private, 4 deleted: no longer offered');

export const label = z.enum(labels).nullable().describe('a colour or symbol; none where it is null');

const safe = 'holds letters that are not allowed, or is too long';

const isHomepage = (text: string) =>
  text === '' || (text.length <= 512 && /^https?:\/\//i.test(text) && URL.canParse(text));

/** What both a new image and a change say. */
export const fields = {
  alias: z
    .string()
    .regex(ALIAS, 'is not 1 to 32 letters, digits, ".", "_", "/", "-" and spaces')
    .optional()
    .describe('the name in the manifest'),
  version: z.string().regex(VERSION, 'is not 1 to 16 letters, digits, ".", "_", "/", "+" and "-"').optional(),
  access: access.optional(),
  owner: z.string().max(100).optional().describe('an active user, by name'),
  desc: z.string().regex(DESCRIPTION, `${safe}: at most 128, without < > % $ & ; ' "`).optional(),
  homepage: z
    .string()
    .refine(isHomepage, 'is no http or https address, or longer than 512 characters')
    .transform((address) => address || null)
    .nullable()
    .optional()
    .describe('an http or https address; none where it is null'),
  resize: z.boolean().optional().describe('whether disks made of it may be larger'),
  deploy: z.boolean().optional().describe('whether the machine switches itself off when it is configured'),
  tags: listOf(z.string().regex(TAG, 'is not a tag: letters, digits, spaces, ":", "/", "_" and "-"'))
    .optional()
    .describe('inherited by machines'),
  dc_bound: z.boolean().optional().describe('whether it belongs to its one data center; for SuperAdmins'),
  label: label.optional(),
  golden: z.boolean().optional(),
};

export const dc = z.string().max(100).optional().describe('the data center that is meant, where a name is in several');

export const named = z.strictObject({ dc }).optional();

const file = z.strictObject({
  sha1: z.string(),
  sha256: z.string(),
  size: z.number(),
  compression: z.string(),
});

export const shown = z.strictObject({
  name: z.string().describe('the key by which it is addressed'),
  uuid: z.string(),
  alias: z.string(),
  version: z.string(),
  owner: z.string(),
  access: z.number(),
  desc: z.string(),
  homepage: z.string().nullable(),
  ostype: z.number().describe('1 Linux VM, 2 SunOS VM, 3 BSD VM, 4 Windows VM, 5 SunOS zone, 6 Linux zone'),
  os: z.string().describe('as its manifest has it; ostype knows fewer'),
  type: z.string().describe('as its manifest has it'),
  size: z.number().describe('of the disk, in MiB; 0 where its manifest does not say'),
  resize: z.boolean(),
  deploy: z.boolean(),
  tags: z.array(z.string()),
  class: z.string().nullable().describe('the class of work that it is for; all where it is null'),
  dc_bound: z.boolean(),
  dcs: z.array(z.string()).describe('where it is attached, of what the caller administers'),
  global: z.boolean(),
  groups: z.array(z.string()).nullable().describe('only for their members; for all where it is null'),
  users: z.array(z.string()).describe('shared with them'),
  status: z.number().describe('1 ok, 2 pending'),
  pending: z.strictObject({ task: z.string(), what: z.string() }).nullable(),
  state: z.string(),
  disabled: z.boolean(),
  label: z.string().nullable(),
  golden: z.boolean(),
  deprecated: z
    .strictObject({
      at: z.string(),
      by: z.string(),
      reason: z.string().optional(),
      replacement: z.string().optional().describe('the uuid of an image'),
    })
    .nullable(),
  ready: z.boolean(),
  not_ready: z.string().nullable().describe('why'),
  badges: z.array(z.enum(badges)),
  files: z.array(file),
  bytes: z.number(),
  provenance: z.strictObject({
    by: z.string().nullable(),
    repository: z.string().nullable().describe('from which it was imported'),
    url: z.string().nullable().describe('from which it was imported, without what stood behind a question mark'),
    origin: z.string().nullable(),
    machine: z
      .strictObject({
        vm: z.string().describe('its uuid'),
        hostname: z.string(),
        disk: z.number().describe('counted from 1'),
        snapshot: z.string(),
        dc: z.string(),
        node: z.string(),
      })
      .nullable()
      .describe('of which it was made, for those who administer its data center'),
  }),
  vms: z.number().describe('how many machines use it that the caller sees'),
  nodes: z
    .array(z.strictObject({ node: z.string(), pool: z.string(), state: z.enum(nodeImageStates) }))
    .describe('which have it, or are getting or losing it; for SuperAdmins'),
  created: z.string(),
  changed: z.string(),
  published: z.string().nullable(),
  may: z.array(z.enum(actionNames)).describe('what the caller may do with it, and can at the moment'),
  may_not: z
    .partialRecord(z.enum(actionNames), z.string())
    .describe('what the caller may do with it and can not at the moment, each with the reason'),
});

export const list = z.union([z.array(z.string()), z.array(inList(shown))]);

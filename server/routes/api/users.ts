import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import { isUuid } from '../../../imgapi/image.js';
import { SUBJECT } from '../../model/openid-binding.js';
import { PASSWORD } from '../../model/password.js';
import { ways } from '../../model/session.js';
import { KEY_TITLE, presentUser } from '../../model/user.js';
import { isUserName } from '../../model/user-name.js';
import { deleteUser } from '../../operations/delete-user.js';
import { findSubject } from '../../operations/find-user.js';
import { listSessions, revokeSession, revokeSessions } from '../../operations/list-sessions.js';
import { listUsers } from '../../operations/list-users.js';
import { createUser, updateUser } from '../../operations/save-user.js';
import { addUserKey, deleteUserKey, listUserKeys } from '../../operations/user-keys.js';
import { type Asked, endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, line, whole } from './values.js';

const password = z
  .string()
  .min(PASSWORD.least, `is shorter than ${PASSWORD.least} characters`)
  .max(PASSWORD.most, `is longer than ${PASSWORD.most} characters`);

const fields = {
  display_name: line(64).optional(),
  email: z.union([z.literal(''), z.email('is not an address').max(254)]).optional(),
  password: password.optional().describe('kept as a hash only'),
  active: z.boolean().optional(),
  api_access: z.boolean().optional().describe('whether anything is answered to this user'),
  super_admin: z.boolean().optional().describe('whether the user may do everything, everywhere'),
  image_bytes_limit: whole(0)
    .nullable()
    .optional()
    .describe('how many bytes the images may have that the user owns; any number with null'),
  openid_subject: z
    .union([z.literal(''), z.string().regex(SUBJECT, 'is not 1 to 255 plain characters')])
    .nullable()
    .optional()
    .describe('what openidIssuer calls the user, who signs in there; nobody with null'),
};

const user = z.strictObject({
  name: z.string(),
  uuid: z.string(),
  display_name: z.string(),
  email: z.string(),
  active: z.boolean(),
  api_access: z.boolean(),
  super_admin: z.boolean(),
  image_bytes_limit: z.number().nullable(),
  has_password: z.boolean(),
  openid_issuer: z.string().nullable().describe('where the user signs in by OpenID Connect'),
  openid_subject: z.string().nullable().describe('and is called so'),
  keys: z.array(z.string()).describe('the titles of its ssh keys'),
  created: z.iso.datetime(),
});

const lists = z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') });

const nameRule = 'is not 1 to 64 letters, digits and "_.@-" that begin with a letter, digit or "_"';

/** Of what is made: of what is there the name is found or not. */
function newName(name: string | undefined): string {
  if (name !== undefined && isUserName(name)) return name;
  throw invalidInput([{ field: 'name', code: 'Invalid', message: `name ${nameRule}` }]);
}

const named =
  ({ caller, params }: Pick<Asked<unknown, unknown>, 'caller' | 'params'>) =>
  (reader: Parameters<typeof findSubject>[0]) =>
    findSubject(reader, caller, params.name ?? '');

export const list = endpoint({
  name: 'ListUsers',
  summary: 'the users, for SuperAdmins',
  operation: 'manage users',
  query: lists,
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(user))]),
  refusals: [],
  perform: async ({ query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(listUsers(deps), paging, {
      name: ({ name }) => name,
      display_name: ({ displayName = '' }) => displayName,
      email: ({ email = '' }) => email,
      created: ({ created }) => created,
    });
    return new Page<unknown>(
      full ? result.map((one) => listed(deps, one, presentUser(one))) : result.map(({ name }) => name),
      total,
      offset,
    );
  },
});

export const show = showing({
  name: 'GetUser',
  summary: 'a user: oneself, or any for SuperAdmins',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: user,
  refusals: ['ResourceNotFound'],
  find: (asked, { catalog }) => named(asked)(catalog),
  present: presentUser,
});

export const create = endpoint({
  name: 'CreateUser',
  summary: 'a new user, who belongs to no group yet',
  operation: 'manage users',
  query: noQuery,
  body: z
    .strictObject({
      ...fields,
      uuid: z.string().refine(isUuid, 'is not a uuid').optional().describe('where images name it already'),
    })
    .optional(),
  status: 201,
  answer: user,
  refusals: ['ObjectAlreadyExists'],
  perform: ({ caller, own, params, body }, deps) =>
    createUser(deps, caller, own, { ...body, name: newName(params.name) }),
});

export const update = endpoint({
  name: 'UpdateUser',
  summary: 'a user as changed; what is not named stays',
  query: noQuery,
  body: z.strictObject(fields).optional(),
  status: 200,
  answer: user,
  refusals: ['ResourceNotFound', 'LastSuperAdmin'],
  changes: named,
  perform: ({ caller, own, params, body = {} }, deps) => updateUser(deps, caller, own, params.name ?? '', body),
});

export const remove = endpoint({
  name: 'DeleteUser',
  summary: 'removes a user with its tokens and keys; what it owns goes to another',
  operation: 'manage users',
  query: noQuery,
  body: z.strictObject({ reassign: z.string().optional().describe('the user who gets its images') }).optional(),
  status: 200,
  refusals: ['ResourceNotFound', 'UserOwnsImages', 'LastSuperAdmin', 'ImagePending'],
  changes: named,
  perform: ({ caller, own, params, body }, deps) =>
    deleteUser(deps, caller, own, { name: params.name ?? '', reassign: body?.reassign }),
});

const key = z.strictObject({
  title: z.string(),
  key: z.string(),
  fingerprint: z.string(),
  added: z.iso.datetime(),
});

export const listKeys = endpoint({
  name: 'ListUserKeys',
  summary: 'the ssh keys with which a user signs, beside those in files and configuration',
  query: lists,
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(key)]),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params, query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listUserKeys(deps, caller, params.name ?? ''), paging, {
      title: ({ title }) => title,
      fingerprint: ({ fingerprint }) => fingerprint,
      added: ({ added }) => added,
    });
    return new Page<unknown>(full ? result : result.map(({ title }) => title), total, offset);
  },
});

export const addKey = endpoint({
  name: 'AddUserKey',
  summary: 'a public ssh key, with which requests can be signed at once',
  query: noQuery,
  body: z.strictObject({
    key: z
      .string()
      .max(16 * 1024)
      .describe('a line as in authorized_keys'),
  }),
  status: 201,
  answer: key,
  refusals: ['ResourceNotFound', 'ObjectAlreadyExists'],
  perform: ({ caller, own, params, body }, deps) => {
    const { name = '', title = '' } = params;
    if (!KEY_TITLE.test(title)) {
      const message = 'title is not 1 to 64 letters, digits and "._@-" that begin with a letter or digit';
      throw invalidInput([{ field: 'title', code: 'Invalid', message }]);
    }
    return addUserKey(deps, caller, own, { name, title, key: body.key });
  },
});

export const removeKey = endpoint({
  name: 'DeleteUserKey',
  summary: 'from the next request on, nothing that it has signed is believed',
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound'],
  perform: ({ caller, own, params }, deps) =>
    deleteUserKey(deps, caller, own, { name: params.name ?? '', title: params.title ?? '' }),
});

export const sessions = endpoint({
  name: 'ListSessions',
  summary: 'where a user is signed in, and how',
  query: lists,
  body: noBody,
  status: 200,
  answer: z.array(
    z.strictObject({
      id: z.string().describe('by which it is ended'),
      made: z.enum(ways).describe('by what the user was proven'),
      created: z.iso.datetime(),
      expires: z.iso.datetime(),
      address: z.string(),
      user_agent: z.string(),
      last_used: z.iso.datetime().nullable(),
      current: z.boolean(),
    }),
  ),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, own, params, query }, deps) =>
    pageOf(await listSessions(deps, caller, own, params.name ?? ''), query, {
      created: ({ created }) => created,
      expires: ({ expires }) => expires,
      address: ({ address }) => address,
    }),
});

export const endAllSessions = endpoint({
  name: 'EndSessions',
  summary: 'signs a user out everywhere',
  query: noQuery,
  body: emptyBody,
  status: 200,
  answer: z.strictObject({ ended: z.number() }),
  refusals: ['ResourceNotFound'],
  perform: ({ caller, own, params }, deps) => revokeSessions(deps, caller, own, params.name ?? ''),
});

export const endSession = endpoint({
  name: 'EndSession',
  summary: 'signs a user out where that session is',
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound'],
  perform: ({ caller, own, params: { name = '', id = '' } }, deps) => revokeSession(deps, caller, own, name, id),
});

import { z } from 'zod';
import { isRecord } from '../../../imgapi/checks.js';
import { signIn, signOut } from '../../operations/sign-in.js';
import { knockingOf } from '../knocking.js';
import { clearSessionCookie, sessionSecretOf, setSessionCookie } from '../session-cookie.js';
import { account, presentAccount } from './account.js';
import { withoutDatacenter } from './datacenter-named.js';
import { type Endpoint, noBody, noQuery } from './endpoint.js';
import { send } from './envelope.js';
import { parse } from './input.js';

const byPassword = z.strictObject({ username: z.string().min(1).max(128), password: z.string().min(1).max(512) });
const byToken = z.strictObject({
  token: z
    .string()
    .trim()
    .min(1)
    .max(512)
    .describe('or the secret of a login; the session is good for no more than it'),
});

/** As it is described: the one or the other. */
const given = z.strictObject({
  ...byPassword.partial().shape,
  ...byToken.partial().shape,
});

/** Both are open: what proves somebody is in the body, or is the cookie itself, good or not. */
export const open: Endpoint = {
  description: {
    name: 'OpenSession',
    summary: 'signs a browser in: the secret of its session is in a cookie, which counts here and for the console only',
    query: noQuery,
    body: given,
    status: 200,
    answer: account,
    refusals: ['TooManyRequests'],
  },
  handler: async (ctx, deps) => {
    const body = withoutDatacenter(given, ctx.request.body);
    ctx.set('Cache-Control', 'no-store');
    parse(noQuery, withoutDatacenter(noQuery, ctx.query), 'query');
    const proof = isRecord(body) && 'token' in body ? parse(byToken, body, 'body') : parse(byPassword, body, 'body');
    const signedIn = await signIn(deps, proof, { ...knockingOf(ctx, deps), before: sessionSecretOf(ctx) });
    setSessionCookie(ctx, deps, signedIn);
    const result = presentAccount(deps, signedIn.caller, signedIn.own);
    send(ctx, { task_id: ctx.state.entry ?? null, status: 'SUCCESS', result }, 200);
  },
};

export const close: Endpoint = {
  description: {
    name: 'CloseSession',
    summary: 'signs a browser out: ends the session of its cookie, and takes the cookie away',
    query: noQuery,
    body: noBody,
    status: 200,
    answer: z.strictObject({
      ended: z.boolean().describe('not where it had ended before'),
      go_to: z.string().nullable().describe('where the browser goes to sign out at the issuer as well'),
    }),
    refusals: [],
  },
  handler: async (ctx, deps) => {
    ctx.set('Cache-Control', 'no-store');
    parse(noQuery, withoutDatacenter(noQuery, ctx.query), 'query');
    const secret = sessionSecretOf(ctx);
    const ended = secret === undefined ? undefined : await signOut(deps, secret, knockingOf(ctx, deps).onProven);
    clearSessionCookie(ctx);
    const goTo = ended?.made === 'openid' ? await deps.openid?.endUrl() : undefined;
    const result = { ended: ended !== undefined, go_to: goTo ?? null };
    send(ctx, { task_id: ctx.state.entry ?? null, status: 'SUCCESS', result }, 200);
  },
};

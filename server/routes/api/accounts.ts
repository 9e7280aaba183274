import { z } from 'zod';
import { ImgapiError } from '../../../imgapi/errors.js';
import { logIn, logOut } from '../../operations/log-in.js';
import { knockingOf } from '../knocking.js';
import { sendJson } from '../reply.js';
import { type Endpoint, noBody, noQuery } from './endpoint.js';
import { parse } from './input.js';

/** The command line sends more than these, now and then. */
const names = z.object({ username: z.string().min(1).max(128), password: z.string().min(1).max(512) });

/** Its answer comes without the envelope of all others: so command lines expect it. */
export const login: Endpoint = {
  description: {
    name: 'LogIn',
    summary: 'a session for whoever knows the password of a user; send its token as "Authorization: Token <token>"',
    query: noQuery,
    body: names,
    status: 200,
    refusals: ['TooManyRequests'],
  },
  handler: async (ctx, deps) => {
    const given = parse(names, ctx.request.body, 'body');
    ctx.set('Cache-Control', 'no-store');
    const session = await logIn(deps, given, knockingOf(ctx, deps));
    sendJson(ctx, { ...session, detail: 'You are logged in.' });
  },
};

export const logout: Endpoint = {
  description: {
    name: 'LogOut',
    summary: 'ends the session that asks',
    query: noQuery,
    body: noBody,
    status: 200,
    refusals: [],
  },
  handler: async (ctx, deps) => {
    const { credentials } = ctx.state;
    if (!credentials) throw new ImgapiError('UnauthorizedError', 'nobody is logged in');
    await logOut(deps, credentials.token);
    sendJson(ctx, { detail: 'You are logged out.' });
  },
};

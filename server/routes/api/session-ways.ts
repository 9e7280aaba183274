import { z } from 'zod';
import { isSignInProblem, signInProblems } from '../../model/sign-in-problem.js';
import { OPENID_START } from '../openid.js';
import { type Endpoint, noBody } from './endpoint.js';
import { send } from './envelope.js';
import { parse } from './input.js';

const query = z.strictObject({
  error: z.string().max(64).optional().describe('what /console/?error=… names, to be told in words'),
});

/** Whoever has not signed in yet asks for it. */
export const show: Endpoint = {
  description: {
    name: 'ListSignInWays',
    summary: 'how people can sign in here',
    query,
    body: noBody,
    status: 200,
    answer: z.strictObject({
      password: z.literal(true),
      token: z.literal(true),
      openid: z
        .strictObject({ label: z.string(), start: z.string().describe('a path below the prefix of the server') })
        .nullable(),
      problem: z.string().optional().describe('what went wrong, and what to do: only where error names something'),
    }),
    refusals: [],
  },
  handler: (ctx, { policy: { openid } }) => {
    ctx.set('Cache-Control', 'no-store');
    const { error = '' } = parse(query, ctx.query, 'query');
    const result = {
      password: true,
      token: true,
      openid: openid ? { label: openid.label, start: OPENID_START } : null,
      ...(isSignInProblem(error) && { problem: signInProblems[error] }),
    };
    send(ctx, { task_id: null, status: 'SUCCESS', result }, 200);
  },
};

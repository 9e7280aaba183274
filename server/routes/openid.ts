import { type ErrorCode, ImgapiError } from '../../imgapi/errors.js';
import { StorageDown } from '../../storage/errors.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { CONSOLE, pathInConsole } from '../model/openid.js';
import { prefixOf } from '../model/public-url.js';
import { SignInFailed, type SignInProblem } from '../model/sign-in-problem.js';
import type { Flow, OpenIdIssuer } from '../openid/issuer.js';
import { signInByOpenId } from '../operations/sign-in-by-openid.js';
import { knockingOf } from './knocking.js';
import type { Handler } from './route.js';
import { sessionSecretOf, setSessionCookie } from './session-cookie.js';

/** What the browser keeps while it is away, sealed: any daemon can finish what another one has begun. */
interface Kept extends Flow {
  /** Where it wanted to. */
  to: string;
  /** Nothing of it is believed later. */
  until: string;
}

export const OPENID_START = `${CONSOLE}openid/start`;

/** For so many seconds a person may stay away. */
const AWAY = 600;
const PURPOSE = 'openid sign-in';
/** Browsers keep 4 KB in a cookie. */
const MOST_KEPT = 3800;

/** What ours is called in an address: the page asks for the words. */
const pageOf = (problem: string) => `${CONSOLE}?error=${problem}`;

/** Sends a browser to the place where people sign in. */
export const start: Handler = async (ctx, deps) => {
  const to = pathInConsole(ctx.query.to, prefixOf(deps.policy));
  prepare(ctx);
  await answering(ctx, deps, async (openid) => {
    if (isElsewhere(ctx, deps)) return `${OPENID_START}?${new URLSearchParams({ to, moved: '1' })}`;
    const { url, ...flow } = await openid.begin();
    const until = new Date(deps.now().getTime() + AWAY * 1000).toISOString();
    const sealed = await deps.seals.seal(JSON.stringify({ ...flow, to, until } satisfies Kept), PURPOSE);
    if (sealed.length > MOST_KEPT) throw new SignInFailed('odd', 'what a browser should keep is too long for a cookie');
    ctx.append('Set-Cookie', cookie(deps, sealed, AWAY));
    return url;
  });
};

/** Where it sends the browser back to. */
export const callback: Handler = async (ctx, deps) => {
  prepare(ctx);
  await answering(ctx, deps, async (openid) => {
    const kept = keptIn(ctx, deps);
    ctx.append('Set-Cookie', cookie(deps, '', 0));
    const until = new Date(kept.until);
    if (until.getTime() <= deps.now().getTime()) throw new SignInFailed('late', `it was good until ${kept.until}`);
    const claims = await openid.finish(ctx.querystring, kept);
    const returning = { claims, state: kept.state, until, before: sessionSecretOf(ctx) };
    const opened = await signInByOpenId(deps, deps.policy.openid!, returning, knockingOf(ctx, deps));
    setSessionCookie(ctx, deps, opened);
    return kept.to;
  });
};

function prepare(ctx: Context): void {
  // the address of the callback holds a code
  ctx.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
}

/** Whoever signs in looks at a page: what goes wrong is told there, and in the log. */
async function answering(ctx: Context, deps: Deps, work: (openid: OpenIdIssuer) => Promise<string>): Promise<void> {
  const { openid, policy, log } = deps;
  ctx.status = 303;
  try {
    if (!openid) throw new SignInFailed('off');
    ctx.set('Location', placed(await work(openid), policy));
  } catch (error) {
    const failed = asFailed(error);
    if (!failed) throw error;
    const { problem, reason } = failed;
    ctx.state.refused = `openid ${problem}`;
    log.warn({ id: ctx.state.requestId, problem, reason: reason.slice(0, 1000) }, 'a sign-in by OpenID Connect failed');
    ctx.set('Location', placed(pageOf(problem), policy));
  }
}

const problems: Partial<Record<ErrorCode, SignInProblem>> = {
  StorageIsDown: 'storage',
  ServiceUnavailableError: 'storage',
  NotPermitted: 'inactive',
  UnauthorizedError: 'inactive',
};

/** What refuses all others is told on the page as well. */
function asFailed(error: unknown): SignInFailed | undefined {
  if (error instanceof SignInFailed) return error;
  if (error instanceof StorageDown) return new SignInFailed('storage', error.message);
  return error instanceof ImgapiError ? new SignInFailed(problems[error.code] ?? 'odd', error.message) : undefined;
}

/** Paths of ours are those below publicUrl; without it nobody is sent anywhere but to a page of this host. */
const placed = (target: string, { publicUrl = '' }: Deps['policy']) =>
  target.startsWith('/') ? publicUrl + target : target;

/** The cookie has to be that of the host that the browser comes back to. A proxy may hide which it asks: once is enough. */
const isElsewhere = (ctx: Context, { policy }: Deps) =>
  policy.publicUrl !== undefined &&
  ctx.query.moved === undefined &&
  ctx.get('host').toLowerCase() !== new URL(policy.publicUrl).host;

/** Of several the one that belongs to this answer: other sites of the same domain can add some. */
function keptIn(ctx: Context, deps: Deps): Kept {
  const { name } = form(deps);
  const values = ctx
    .get('cookie')
    .split(';')
    .flatMap((pair) => (pair.trim().startsWith(`${name}=`) ? pair.trim().slice(name.length + 1) : []));
  const { state } = ctx.query;
  const found = values.flatMap((value) => opened(deps, value) ?? []).find((kept) => kept.state === state);
  if (found) return found;
  throw new SignInFailed('cookie', values.length === 0 ? 'there is no cookie' : 'the cookie is of another sign-in');
}

function opened({ seals }: Deps, sealed: string): Kept | undefined {
  try {
    return JSON.parse(seals.open(sealed, PURPOSE));
  } catch {
    // not ours, or sealed with another key: it counts as none
    return undefined;
  }
}

/** It has to come along when another site sends the browser here: Lax, and not Strict. */
function cookie(deps: Deps, value: string, seconds: number): string {
  const { name, path, secure } = form(deps);
  const flags = ['HttpOnly', 'SameSite=Lax', ...(secure ? ['Secure'] : [])];
  return [`${name}=${value}`, `Path=${path}`, `Max-Age=${seconds}`, ...flags].join('; ');
}

function form({ policy }: Pick<Deps, 'policy'>) {
  const secure = policy.publicUrl?.startsWith('https:') ?? false;
  const name = secure ? '__Secure-slipway-openid' : 'slipway-openid';
  return { name, secure, path: `${prefixOf(policy)}/console/openid` };
}

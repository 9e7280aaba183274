import { isRecord } from '../../imgapi/checks.js';
import { SignInFailed, type SignInProblem } from '../model/sign-in-problem.js';

/** What a claim stands for that is not as it should be. */
const claims: Readonly<Record<string, SignInProblem>> = {
  aud: 'audience',
  azp: 'audience',
  iss: 'issuer',
  nonce: 'nonce',
  exp: 'expired',
};

/** Where the library has no code of its own. */
const messages: readonly [RegExp, SignInProblem][] = [
  [/^JWT signature verification failed$/, 'signature'],
  [/^unexpected JWT "alg" header parameter$/, 'signature'],
  [/"iss" \(issuer\) (response parameter value|missing)$/, 'issuer'],
  [/^JWT "nonce" .* claim missing$/, 'nonce'],
  [/^JWT "aud" .* claim missing$/, 'audience'],
  [/^JWT "iss" .* claim missing$/, 'issuer'],
];

/** And what else went wrong, by its codes. */
const codes: Readonly<Record<string, SignInProblem>> = {
  OAUTH_TIMEOUT: 'slow',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'expired',
  OAUTH_KEY_SELECTION_FAILED: 'signature',
  OAUTH_WWW_AUTHENTICATE_CHALLENGE: 'client',
};

/** As OAuth calls what an issuer refuses, in the query of the browser or in an answer. */
const refusals: Readonly<Record<string, SignInProblem>> = {
  access_denied: 'refused',
  login_required: 'refused',
  interaction_required: 'refused',
  consent_required: 'refused',
  account_selection_required: 'refused',
  server_error: 'away',
  temporarily_unavailable: 'away',
  invalid_grant: 'code',
  invalid_client: 'client',
  unauthorized_client: 'client',
};

/** Whatever was thrown, as one of the problems that people are told of. */
export function explained(error: unknown): SignInFailed {
  const chain = [...causesOf(error)];
  const known = chain.find((cause) => cause instanceof SignInFailed);
  if (known) return known;
  const reason = [...new Set(chain.flatMap((cause) => (cause instanceof Error ? [cause.message] : [])))].join(': ');
  const details = chain.flatMap((cause) => detailOf(cause) ?? []);
  const problem = chain.map(problemOf).find((one) => one !== undefined) ?? 'odd';
  return new SignInFailed(problem, [reason, ...details].join('; '));
}

function* causesOf(error: unknown): Generator<unknown> {
  for (let cause = error, depth = 0; cause !== undefined && depth < 8; depth += 1) {
    yield cause;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}

function problemOf(cause: unknown): SignInProblem | undefined {
  if (cause instanceof Response) return cause.status >= 500 ? 'away' : undefined;
  if (!isRecord(cause) && !(cause instanceof Error)) return undefined;
  const { code, error, claim, message, status } = cause as Record<string, unknown>;
  if (typeof error === 'string' && Object.hasOwn(refusals, error)) return refusals[error];
  if (typeof status === 'number' && status >= 500) return 'away';
  const said = messages.find(([pattern]) => typeof message === 'string' && pattern.test(message));
  if (said) return said[1];
  if (typeof claim === 'string' && Object.hasOwn(claims, claim)) return claims[claim];
  return typeof code === 'string' && Object.hasOwn(codes, code) ? codes[code] : undefined;
}

/** Of what the library hands over with an error, that alone which no token is in. */
function detailOf(cause: unknown): string | undefined {
  if (cause instanceof Error) {
    const { error, error_description: said } = cause as Error & Record<string, unknown>;
    return typeof error === 'string'
      ? `it says ${[error, said].filter((text) => typeof text === 'string').join(': ')}`
      : undefined;
  }
  if (cause instanceof Response) return `it answered ${cause.status}`;
  if (!isRecord(cause)) return undefined;
  const { attribute, expected, body, claim } = cause;
  if (attribute === 'issuer' && isRecord(body)) return `it calls itself ${body.issuer}, openidIssuer is ${expected}`;
  return typeof claim === 'string' ? `of the claim ${claim}` : undefined;
}

/** What can go wrong when somebody signs in by OpenID Connect, and what that person is told to do. Nothing here is secret. */
export const signInProblems = {
  off: 'nobody signs in by OpenID Connect here: use a password or a token',
  busy: 'too many people sign in at this moment: try again in a few seconds',
  away: 'the place where people sign in can not be reached: try again in a moment, or use a password or a token',
  slow: 'the place where people sign in did not answer in time: try again in a moment, or use a password or a token',
  odd: 'the place where people sign in gave an answer that makes no sense here: an administrator finds why in the log',
  client: 'the place where people sign in does not know this server, or not its secret: tell an administrator',
  refused: 'the sign-in was refused or broken off there: begin again, or ask those who run that place',
  cookie:
    'this browser has not begun that sign-in, or has not kept its cookie: begin again here, with cookies allowed, and stay in one window',
  late: 'too much time has passed since the sign-in was begun: begin again',
  used: 'that sign-in has been used already: begin again',
  code: 'the place where people sign in does not know that sign-in any more: begin again',
  issuer:
    'the proof of who you are comes from somewhere else than it should, and was not believed: tell an administrator',
  audience: 'the proof of who you are is meant for another server, and was not believed: tell an administrator',
  nonce: 'the proof of who you are belongs to another sign-in, and was not believed: begin again',
  expired:
    'the proof of who you are is out of date: begin again; if that does not help, the clock of this server or of that place is wrong',
  signature:
    'the proof of who you are is not signed by the place where people sign in, and was not believed: tell an administrator',
  name: 'the place where people sign in does not tell a user name that can be used here: tell an administrator',
  groups:
    'the place where people sign in does not tell your groups in a way that can be read here: tell an administrator',
  unknown: 'nobody here belongs to that account: ask an administrator to make a user for you, or to bind yours to it',
  taken:
    'somebody here has your user name, and is not bound to that account: ask an administrator to bind the user to it',
  inactive: 'your user here is locked out: ask an administrator',
  storage: 'what is kept here can not be read or written at the moment: try again in a moment',
} as const;

export type SignInProblem = keyof typeof signInProblems;

export const isSignInProblem = (code: string): code is SignInProblem => Object.hasOwn(signInProblems, code);

/** `reason` is for the log, and holds nothing that proves anything. */
export class SignInFailed extends Error {
  override name = 'SignInFailed';

  constructor(
    readonly problem: SignInProblem,
    readonly reason: string = signInProblems[problem],
  ) {
    super(`${problem}: ${reason}`);
  }
}

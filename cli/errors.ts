import { type ErrorCode, type FieldError, ImgapiError } from '../imgapi/errors.js';
import { AnsweredBadly, Unreachable } from '../imgapi/exchange-errors.js';
import { visible } from './visible.js';

/** How the command line ends. */
export const exits = { done: 0, refused: 1, serverFailed: 2, unreachable: 3, notLoggedIn: 4, interrupted: 5 } as const;

export type Exit = (typeof exits)[keyof typeof exits];

/** A refusal of the command line's own, with what to do next. */
export class CliError extends Error {
  override name = 'CliError';
  readonly hint: string | undefined;
  readonly exit: Exit;

  constructor(
    message: string,
    { hint, exit = exits.refused, cause }: { hint?: string; exit?: Exit; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.hint = hint;
    this.exit = exit;
  }
}

export class Interrupted extends CliError {
  constructor(signal: string) {
    super(`interrupted by ${signal}`, { exit: exits.interrupted });
  }
}

export interface Told {
  message: string;
  hint?: string;
  exit: Exit;
}

/** What to do next, by the code that a server refuses with. */
const refusals: Partial<Record<ErrorCode, string>> = {
  UnauthorizedError: 'log in with "slipway login", or set SLIPWAY_TOKEN',
  NotPermitted: '"slipway whoami" shows what you may do, and where; "slipway login" takes other credentials',
  OperatorOnly: 'log in as an administrator',
  MisdirectedRequest: "add the host's name to hostNames in the configuration of the server",
  TooManyRequests: 'wait a little and try again',
  ValidationFailed: 'correct this and try again',
  InvalidInput: 'correct this and try again',
  ImageHasDependentImages: 'delete or move the images that have this one as their origin first',
  ImageUuidAlreadyExists: '"slipway show UUID" shows the image that has it',
  ImageFilesImmutable: 'make a new image: the file of one that is activated stays as it is',
  NoActivationNoFile: 'add a file with "slipway upload" first',
  RequestEntityTooLarge: 'the limits of the server are maxFileSize and maxBodySize in its configuration',
  StorageIsDown: "the server's log tells why; try again later",
  InternalError: "the server's log tells why",
  ImageInUse: '"slipway image vms IMAGE" lists the machines: they, or their templates, have to go first',
  QuotaExceeded: 'delete what is not needed, or have the limits raised: "slipway settings show --dc DC"',
  ImagePending: 'wait for what works on it: "slipway task list"',
  UserOwnsImages: 'give them to somebody else with --reassign',
  NoImageServer: 'the setting VMS_IMAGE_VM says so: "slipway settings show"',
  NodeDown: '"slipway node check NODE" tells what is wrong, and what to do',
  NodeUnsuitable: '"slipway node check NODE" shows what the node is; "slipway node set NODE" says otherwise',
  NoPublicUrl: 'start the server with --public-url, or set publicUrl in its configuration',
  Busy: 'wait until it has ended: "slipway task list"',
  ObjectAlreadyExists: 'it is there: change it, or choose another name',
  InvalidVersion: 'this server is too old or too new for this command line',
};

/** What is wrong with a field, where a server only sends the code. */
const problems: Partial<Record<string, string>> = {
  MissingParameter: 'is missing',
  Missing: 'is missing',
  Invalid: 'is not valid',
  InvalidParameter: 'is not valid',
  NotAllowed: 'is not allowed here',
};

const elsewhere = 'name the server by the URL that it leads to';
const behind = 'a proxy answers, and the server behind it does not: is it running?';

/** What to do next where something in front of the server answers, by its status. */
const answers: Partial<Record<number, string>> = {
  301: elsewhere,
  302: elsewhere,
  307: elsewhere,
  308: elsewhere,
  502: behind,
  503: behind,
  504: behind,
};

/** What a failed connection means and what to do next, by the code of its cause. */
const connections: Record<string, [meaning: string, hint: string]> = {
  ECONNREFUSED: ['nobody listens there', 'is the daemon running? name another server with --url or "slipway login"'],
  ENOTFOUND: ['there is no host of this name', 'check the URL of the server'],
  EAI_AGAIN: ['the name of the host could not be looked up', 'check the URL of the server, and the network'],
  EHOSTUNREACH: ['the host can not be reached', 'check the URL of the server, and the network'],
  ENETUNREACH: ['the network can not be reached', 'check the URL of the server, and the network'],
  ETIMEDOUT: ['the host does not answer', 'check the URL of the server, and the network'],
  ECONNRESET: ['the connection was cut', 'try again; is it https where the URL says http?'],
  EPIPE: ['the connection was cut', 'try again'],
  EPROTO: ['the server speaks no TLS', 'is it http where the URL says https?'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['the server speaks no TLS', 'is it http where the URL says https?'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is signed by itself', 'give the certificate with --ca FILE'],
  SELF_SIGNED_CERT_IN_CHAIN: ['its certificate comes from an unknown authority', "give the authority's with --ca FILE"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['nobody known vouches for its certificate', "give the authority's with --ca FILE"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'nobody known vouches for its certificate',
    "give the authority's with --ca FILE",
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: ['its certificate is for another host', 'use the name that the certificate has'],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'the server needs a new one'],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', 'check the clocks of both sides'],
};

/** What this machine refuses, by the code of a system call. */
const systemCalls: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read or written',
  EPERM: 'may not be changed',
  EISDIR: 'is a directory',
  ENOTDIR: 'is not below a directory',
  EEXIST: 'exists already',
  EROFS: 'lies on a file system that can not be written',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'is larger than files may be here',
  EIO: 'the device failed',
  EMFILE: 'too many files are open',
};

/** The one place where an exception becomes words and an exit code. */
export function tell(error: unknown): Told {
  if (error instanceof CliError) return { message: error.message, hint: error.hint, exit: error.exit };
  if (error instanceof ImgapiError) return tellRefusal(error);
  const code = codeOf(error);
  if (code !== undefined && Object.hasOwn(systemCalls, code)) {
    const { path } = Object(error);
    const where = typeof path === 'string' ? `${path}: ` : '';
    return { message: `${where}${systemCalls[code]}`, exit: exits.refused };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, hint: 'this is not expected: --debug shows where it comes from', exit: exits.refused };
}

function tellRefusal(error: ImgapiError): Told {
  if (error instanceof Unreachable) return tellConnection(error);
  if (error instanceof AnsweredBadly) {
    const hint = answers[error.answered] ?? 'is this the URL of an image server?';
    return { message: error.message, hint, exit: exitOf(error.answered) };
  }
  const fields = (error.errors ?? []).filter(({ message }) => message !== error.message).map(fieldText);
  const message = [error.message, ...fields.filter((text) => text !== error.message)].map(visible).join('\n  ');
  return { message, hint: hintOf(error), exit: exitOf(error.status) };
}

const NO_MANAGEMENT =
  'is this the server that you mean? only one in mode "dc" has data centers, repositories and the like';

/** What to do next, where the code alone or the words of the server tell it. */
function hintOf({ code, message }: ImgapiError): string | undefined {
  if (/^\w+_url: \S+ answered 40[13]$/.test(message))
    return 'that server wants credentials, or other ones: "slipway secret add" keeps them, --secret takes them';
  if (code !== 'ResourceNotFound') return refusals[code];
  if (/^\/api\/\S* does not exist$/.test(message)) return NO_MANAGEMENT;
  if (message.startsWith('there is no task ')) return '"slipway task list" shows them; a task is named by its whole id';
  return undefined;
}

/** Some servers name the field in the message, others beside it. */
const fieldText = ({ field, code, message = problems[code] ?? code }: FieldError) =>
  message.startsWith(`${field} `) ? message : `${field}: ${message}`;

function tellConnection(error: Unreachable): Told {
  const [meaning, hint] = connections[reasonOf(error) ?? ''] ?? [];
  const [host] = error.message.split(' ', 1);
  const message = meaning === undefined ? error.message : `${host} can not be reached: ${meaning}`;
  return { message, hint, exit: exits.unreachable };
}

function exitOf(status: number): Exit {
  if (status === 401) return exits.notLoggedIn;
  return status >= 400 && status < 500 ? exits.refused : exits.serverFailed;
}

/** The code of the innermost cause that has one. */
function reasonOf(error: Error): string | undefined {
  const { cause } = error;
  return cause instanceof Error ? (reasonOf(cause) ?? codeOf(cause)) : undefined;
}

function codeOf(error: unknown): string | undefined {
  const { code } = Object(error);
  return typeof code === 'string' ? code : undefined;
}

/** Everything that is known of an error, for those who look for a fault in the command line itself. */
export function traced(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${traced(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

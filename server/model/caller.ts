import { ImgapiError } from '../../imgapi/errors.js';
import type { Mode } from '../../imgapi/image.js';
import { modeLaw } from './modes.js';
import type { Node } from './node.js';
import type { Rights } from './rights.js';
import type { User } from './user.js';

/**
 * Who is asking. A trusted caller comes from an address (or a configuration) that needs no credentials; a node may
 * bring images to the data center that its token lets it `publish` to.
 */
export type Caller =
  | { kind: 'anonymous'; user?: undefined }
  | { kind: 'trusted'; user?: undefined; name?: string }
  | { kind: 'node'; user?: undefined; node: Node; publish?: string }
  | { kind: 'user'; user: User; rights: Rights };

export const anonymous: Caller = { kind: 'anonymous' };
export const trusted: Caller = { kind: 'trusted' };
/** The server itself, where a schedule has asked. */
export const itself = { kind: 'trusted', name: 'slipway' } satisfies Caller;

export function isKnown(caller: Caller): boolean {
  return caller.kind !== 'anonymous';
}

/** Operators see and change everything. */
export function isOperator(caller: Caller): boolean {
  return caller.kind === 'trusted' || (caller.kind === 'user' && caller.rights.superAdmin);
}

/** May they change what is the operators' of an image? On servers without users all who are known are operators. */
export function isOperatorIn(mode: Mode, caller: Caller, account: string | undefined): boolean {
  return account === undefined && (isOperator(caller) || !modeLaw[mode].ownersAreUsers);
}

/** As logs and the audit call a caller. */
export function nameOfCaller(caller: Caller): string {
  if (caller.kind === 'user') return caller.user.name;
  if (caller.kind === 'node') return `node ${caller.node.name}`;
  return (caller.kind === 'trusted' && caller.name) || caller.kind;
}

/** Whom a caller acts for: an account narrows what is seen, so whoever sees less than that account may not name it. */
export function checkActsFor(caller: Caller, account: string | undefined, mode: Mode): void {
  if (account === undefined || modeLaw[mode].readsAreOpen || isOperator(caller)) return;
  if (caller.kind === 'user' && caller.user.uuid === account) return;
  throw new ImgapiError('OperatorOnly', `only operators may act for account ${account}`);
}

/** The reference's rule for what only operators do: naming an account is to be no operator. */
export function checkOperator(caller: Caller, account: string | undefined, what: string): void {
  if (account !== undefined) throw new ImgapiError('OperatorOnly', `${what} is for operators, not for an account`);
  if (!isOperator(caller)) throw new ImgapiError('OperatorOnly', `${what} is for operators`);
}

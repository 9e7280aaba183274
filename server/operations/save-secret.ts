import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { hostFrom, purposeOf, type Secret, type SecretType, secretRef, secrets, secretTypes } from '../model/secret.js';
import type { Grant } from '../model/token.js';
import { checkDatacenterStands } from './check-datacenter-stands.js';
import { checkStands } from './check-stands.js';
import { findDatacenter } from './find-datacenter.js';
import { findSecret } from './find-secret.js';
import { usesOf } from './secret-uses.js';

export interface SecretWish {
  dc?: string | undefined;
  host?: string | undefined;
  type?: SecretType | undefined;
  username?: string | undefined;
  /** The password, the token or the private key. */
  value?: string | undefined;
}

interface Address {
  name: string;
  dc?: string | undefined;
}

const MOST_SECRETS = 1000;

/** As many as a refusal names. */
const MOST_NAMED = 20;

export async function createSecret(deps: Deps, caller: Caller, own: Grant, name: string, wish: SecretWish) {
  const { catalog, seals, now } = deps;
  const datacenter = placeOf(deps, caller, wish.dc);
  if (wish.type === undefined) throw missing('type', `is one of ${secretTypes.join(', ')}`);
  const host = hostOf(wish.type, wish.host);
  const at = now().toISOString();
  const place = { name, ...(datacenter !== undefined && { datacenter }) };
  checkType(wish, datacenter);
  const bare = { ...place, host, type: wish.type, created: at, changed: at, ...usernameOf(wish.type, wish.username) };
  if (wish.value === undefined) throw missing('value', 'is the password, the token or the private key');
  const publicKey = publicKeyOf(deps, wish.type, wish.value);
  const secret = { ...bare, ...publicKey, sealed: await seals.seal(wish.value, purposeOf(bare)) };
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (datacenter !== undefined) await checkDatacenterStands(tx, datacenter);
    if (await tx.get(secrets, secretRef(secret))) {
      throw new ImgapiError('ObjectAlreadyExists', `secret "${name}" exists already`);
    }
    let count = 0;
    for await (const _ of tx.list(secrets)) count += 1;
    if (count >= MOST_SECRETS) throw new ImgapiError('QuotaExceeded', `there are ${MOST_SECRETS} secrets already`);
    await tx.insert(secrets, secret);
    return secret;
  });
}

/** For another host it has to be told again: else whoever may change it could have it told to his own. */
export async function updateSecret(deps: Deps, caller: Caller, own: Grant, address: Address, wish: SecretWish) {
  const { catalog, seals, now, recordTag } = deps;
  const before = await findSecret(catalog, caller, address);
  const type = wish.type ?? before.type;
  const host = wish.host === undefined && type === before.type ? before.host : hostOf(type, wish.host ?? before.host);
  if (wish.value === undefined && (host !== before.host || type !== before.type)) {
    throw missing('value', 'has to be given again for another host or type');
  }
  if ((type === 'ssh-key') !== (before.type === 'ssh-key')) {
    throw invalidInput([{ field: 'type', code: 'Invalid', message: `type stays ${before.type}: make another secret` }]);
  }
  const { username: known, ...rest } = before;
  const publicKey = wish.value === undefined ? {} : publicKeyOf(deps, type, wish.value);
  const bare = { ...rest, host, type, ...usernameOf(type, wish.username ?? known) };
  const sealed = wish.value === undefined ? before.sealed : await seals.seal(wish.value, purposeOf(bare));
  const after = { ...bare, ...publicKey, sealed, changed: now().toISOString() };
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const still = await findSecret(tx, caller, { ...address, dc: before.datacenter ?? address.dc });
    // What is sealed is made of what was read: it is of no use for anything else.
    if (recordTag(still) !== recordTag(before)) {
      throw new ImgapiError('Busy', `secret "${address.name}" was changed meanwhile`);
    }
    await tx.replace(secrets, after);
    return after;
  });
}

export async function deleteSecret(deps: Deps, caller: Caller, own: Grant, address: Address): Promise<void> {
  await deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const ref = secretRef(await findSecret(tx, caller, address));
    const uses = await usesOf(tx, ref);
    if (uses.length > 0) {
      const seen = uses.filter(({ isSeenBy }) => isSeenBy(caller)).map(({ what, name }) => `${what} ${name}`);
      const named = seen.slice(0, MOST_NAMED);
      const others = uses.length - named.length;
      const all = [...named, ...(others > 0 ? [`${others} others`] : [])].join(', ');
      throw new ImgapiError('SecretInUse', `secret "${address.name}" is used by ${all}`);
    }
    await tx.delete(secrets, ref);
  });
}

/** Those of no data center are the operators'. */
function placeOf(deps: Deps, caller: Caller, dc: string | undefined): string | undefined {
  if (dc !== undefined) return findDatacenter(deps, caller, 'manage secrets', dc).name;
  if (isOperator(caller)) return undefined;
  throw missing('dc', 'has to name the data center that the secret is for');
}

/** Nodes are the operators', and so is what opens them. */
function checkType({ type }: SecretWish, datacenter: string | undefined): void {
  if (type !== 'ssh-key' || datacenter === undefined) return;
  throw invalidInput([
    { field: 'dc', code: 'Invalid', message: 'dc is not told for type ssh-key: nodes are of no data center' },
  ]);
}

function publicKeyOf(
  { hypervisors }: Pick<Deps, 'hypervisors'>,
  type: SecretType,
  value: string,
): { publicKey?: string } {
  const wrong = (what: string) => invalidInput([{ field: 'value', code: 'Invalid', message: `value ${what}` }]);
  if (type !== 'ssh-key') {
    if (/[\r\n]/.test(value)) throw wrong('holds control characters');
    return {};
  }
  const publicKey = hypervisors.publicKeyOf(value);
  if (publicKey === undefined)
    throw wrong('is no private key, or one with a passphrase, which nobody would be here to type');
  return { publicKey };
}

/** Keys are for nodes, whatever they are called: what is signed with one tells nothing of it. */
function hostOf(type: SecretType, given: string | undefined): string {
  if (type === 'ssh-key') {
    if (given === undefined || given === '') return '';
    throw invalidInput([
      { field: 'host', code: 'Invalid', message: 'host is not told for type ssh-key: nodes name the key' },
    ]);
  }
  if (given === undefined) throw missing('host', 'is the host that the secret is told to');
  const host = hostFrom(given);
  if (host !== undefined) return host;
  const message = 'host is not a host such as registry.example.com or registry.example.com:5000';
  throw invalidInput([{ field: 'host', code: 'Invalid', message }]);
}

function usernameOf(type: SecretType, username: string | undefined): Pick<Secret, 'username'> {
  if (type !== 'basic') return {};
  if (username === undefined) throw missing('username', 'is needed for type basic');
  return { username };
}

const missing = (field: string, why: string) =>
  invalidInput([{ field, code: 'MissingParameter', message: `${field} is missing: it ${why}` }]);

import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { isFor, type Secret, secretRef, secrets } from '../model/secret.js';
import { findDatacenter } from './find-datacenter.js';

/** Those that the caller may use, and manage: import administrators those of their data centers. */
export async function listSecrets(
  deps: Pick<Deps, 'catalog' | 'directory'>,
  caller: Caller,
  dc?: string,
): Promise<Secret[]> {
  if (dc !== undefined) findDatacenter(deps, caller, 'manage secrets', dc);
  return (await secretsOf(deps.catalog, caller)).filter(({ datacenter }) => dc === undefined || datacenter === dc);
}

/** Absent and hidden are the same refusal. */
export async function findSecret(
  reader: Reader,
  caller: Caller,
  { name, dc }: { name: string; dc?: string | undefined },
): Promise<Secret> {
  const named = await secretsNamed(reader, caller, name, dc);
  const [first, second] = named;
  if (!first) throw new ImgapiError('ResourceNotFound', `there is no secret "${name}"`);
  if (second) throw invalidInput([{ field: 'dc', code: 'MissingParameter', message: ambiguous(name, named) }]);
  return first;
}

/**
 * The reference of a secret that is named where something is to be fetched, to be kept and handed to `outgoing.to`. One
 * that the caller may not use is none; so is one for another host.
 */
export async function usableSecret(
  reader: Reader,
  caller: Caller,
  { name, dc, url }: { name: string; dc?: string | undefined; url?: string | undefined },
): Promise<string> {
  const [, place, bare = ''] = /^(?:([^/]*)\/)?(.*)$/.exec(name) ?? [];
  const named = await secretsNamed(reader, caller, bare, place ?? dc);
  const [first, second] = named;
  if (!first) throw wrong(`secret: there is no secret "${name}"`);
  if (second) throw wrong(`secret: ${ambiguous(name, named)}, before its name: dc/name`);
  if (url !== undefined && URL.canParse(url) && !isFor(first, new URL(url))) {
    throw wrong(`secret: "${name}" is for ${first.host}, and is not told to ${new URL(url).origin}`);
  }
  return secretRef(first);
}

async function secretsNamed(reader: Reader, caller: Caller, name: string, dc: string | undefined): Promise<Secret[]> {
  const all = (await secretsOf(reader, caller)).filter((secret) => secret.name === name);
  if (dc === undefined) return all;
  const there = all.filter(({ datacenter }) => datacenter === dc);
  return there.length > 0 ? there : all.filter(({ datacenter }) => datacenter === undefined);
}

async function secretsOf(reader: Reader, caller: Caller): Promise<Secret[]> {
  const found: Secret[] = [];
  for await (const secret of reader.list(secrets)) if (isUsable(caller, secret)) found.push(secret);
  return found;
}

function isUsable(caller: Caller, { datacenter }: Secret): boolean {
  if (isOperator(caller)) return true;
  return caller.kind === 'user' && datacenter !== undefined && caller.rights.importAdmin.has(datacenter);
}

function ambiguous(name: string, named: readonly Secret[]): string {
  const places = named.map(({ datacenter }) => datacenter ?? 'none').join(', ');
  return `there are several secrets "${name}": name the data center, which is one of ${places}`;
}

const wrong = (message: string) => invalidInput([{ field: 'secret', code: 'Invalid', message }]);

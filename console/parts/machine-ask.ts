import { ask, part, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { differencesOf, type Looks } from './differences.js';
import type { Machine } from './machine-columns.js';
import { machineWish } from './machine-form.js';

export const pathOf = ({ uuid }: Pick<Machine, 'uuid'>) => `/vm/${part(uuid)}`;

/** For the first time: a registration takes the place of the one before, and nobody is to do that unseen. */
export async function registerNew(uuid: string, body: object): Promise<void> {
  try {
    await ask(pathOf({ uuid }), { method: 'PUT', body, isNew: true });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // There is no such path where it is no uuid.
    if (error.status === 404) throw new Refusal(400, 'InvalidInput', 'it is no UUID', { uuid: 'is no UUID' });
    if (error.status === 412) throw await knownAlready(uuid, error);
    throw error;
  }
}

async function knownAlready(uuid: string, { status, code, tag }: Refusal): Promise<Refusal> {
  const result = await readMachine({ uuid });
  const facts = looks.map(([name, word]) => [name, word(result)]).filter(([, word]) => word !== '');
  const told = facts.map(([name, word]) => `${name} “${word}”`).join(', ');
  const message = `it is known already, as ${result.hostname}, and stands in the list: ${told}`;
  return new Refusal(status, code, message, { uuid: message }, tag);
}

/** Only while it is as it was seen; else the refusal says what has become of it, and it is seen so from then on. */
export async function forget(seen: Machine, see: (now: Machine) => void): Promise<void> {
  try {
    await ask(pathOf(seen), { method: 'DELETE', ifMatch: seen.etag });
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 412)) throw error;
    const now = await readMachine(seen);
    see(now);
    const told = differencesOf(looks, seen, now).join('; ') || 'see the list';
    throw new Refusal(412, error.code, `it was changed meanwhile: ${told}`, {}, now.etag);
  }
}

async function readMachine(machine: Pick<Machine, 'uuid'>): Promise<Machine> {
  const { result, tag } = await ask<Results['GetMachine']>(pathOf(machine));
  return { ...result, etag: tag };
}

/** In the words of the form, and of the list. */
const looks: Looks<Machine> = [
  ['name', ({ hostname }) => hostname],
  ['state', ({ state }) => state],
  ['data center', ({ dc }) => dc ?? ''],
  ['node', ({ registered_node: node }) => node ?? ''],
  ['owner', ({ owner }) => owner ?? ''],
  ['tags', ({ tags }) => tags.join(', ')],
  ['disks', (machine) => machineWish(machine).images.replaceAll('\n', ', ')],
  ['node of the inventory', ({ found }) => found?.node ?? ''],
  ['state there', ({ found }) => found?.state ?? ''],
];

import { ask, part, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { machineWish } from './machine-form.js';

type Machine = Results['GetMachine'];

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
  const { result } = await ask<Machine>(pathOf({ uuid }));
  const facts = looks.map(([name, word]) => [name, word(result)]).filter(([, word]) => word !== '');
  const told = facts.map(([name, word]) => `${name} “${word}”`).join(', ');
  const message = `it is known already, as ${result.hostname}, and stands in the list: ${told}`;
  return new Refusal(status, code, message, { uuid: message }, tag);
}

/** What people look at, in the words of the form. */
const looks: readonly (readonly [name: string, word: (machine: Machine) => string])[] = [
  ['name', ({ hostname }) => hostname],
  ['state', ({ state }) => state],
  ['data center', ({ dc }) => dc ?? ''],
  ['node', ({ registered_node: node }) => node ?? ''],
  ['owner', ({ owner }) => owner ?? ''],
  ['tags', ({ tags }) => tags.join(', ')],
  ['disks', (machine) => machineWish(machine).images.replaceAll('\n', ', ')],
];

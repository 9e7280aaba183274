import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { takeOverKeys } from '../../server/operations/take-over-keys.js';
import { scratch } from '../support/scratch.js';

const file = (...lines: string[]) => ({
  name: 'local/ada.keys',
  record: { path: 'ada.keys', text: async () => lines.join('\n') },
});

const first = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFirst ada@desk';
const second = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAISecond ada@train';
const options = 'no-pty,no-port-forwarding ';

test('keys are told apart by the keys, whatever options stand before them', async (t) => {
  const directory = await scratch(t);
  const taken = await takeOverKeys(file(`${options}${first}`), directory, []);
  t.is(taken.added, 1);
  const again = await takeOverKeys(file(`${options}${first}`, `${options}${second}`), directory, taken.keys);
  t.is(again.added, 1);
  const text = await readFile(join(directory, 'local/ada.keys'), 'utf8');
  t.is(text, `${options}${first}\n${options}${second}\n`);
});

test('a key that was taken once and is gone stays away, with another comment too', async (t) => {
  const directory = await scratch(t);
  const { keys } = await takeOverKeys(file(first), directory, []);
  const again = await takeOverKeys(file(`${first} renamed`, second), await scratch(t), keys);
  t.is(again.added, 1);
});

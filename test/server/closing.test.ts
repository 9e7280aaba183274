import test from 'ava';
import { Closing } from '../../server/closing.js';

test('closes in reverse, each to its end before the next, and once', async (t) => {
  const closing = new Closing();
  const closed: string[] = [];
  const close = async (name: string) => {
    closed.push(`${name} begins`);
    await Promise.resolve();
    closed.push(`${name} ends`);
  };
  t.is(closing.add('lock', close), 'lock');
  closing.add('store', close);
  await closing.close();
  await closing.close();
  t.deepEqual(closed, ['store begins', 'store ends', 'lock begins', 'lock ends']);
});

test('what fails keeps nothing open, and the first failure is told', async (t) => {
  const closing = new Closing();
  const closed: string[] = [];
  closing.add('lock', (name) => closed.push(name));
  closing.add('catalog', () => Promise.reject(new Error('second')));
  closing.add('server', () => {
    throw new Error('first');
  });
  await t.throwsAsync(closing.close(), { message: 'first' });
  t.deepEqual(closed, ['lock']);
});

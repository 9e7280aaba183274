import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { reloadOnHangup } from '../../server/reload-on-hangup.js';
import { gate } from '../support/gate.js';
import { keptLog } from '../support/log.js';

test('each in turn, never two at once, once more for all that ask meanwhile; one that fails stops nobody', async (t) => {
  const { log, lines } = keptLog();
  const happened: string[] = [];
  const slow = gate();
  const last = gate();
  let rounds = 0;
  reloadOnHangup(
    [
      async () => {
        happened.push('first begins');
        await slow.opened;
        happened.push('first ends');
      },
      async () => {
        throw new Error('unreadable');
      },
      async () => {
        happened.push('last');
        rounds += 1;
        if (rounds === 2) last.open();
      },
    ],
    log,
  );
  process.emit('SIGHUP', 'SIGHUP');
  await setImmediate();
  for (let time = 0; time < 100; time += 1) process.emit('SIGHUP', 'SIGHUP');
  t.deepEqual(happened, ['first begins']);
  slow.open();
  await last.opened;
  await setImmediate();
  t.deepEqual(happened, ['first begins', 'first ends', 'last', 'first begins', 'first ends', 'last']);
  const failures = lines.filter(({ msg }) => msg === 'reading again failed');
  t.is(failures.length, 2);
  t.like(failures[0], { level: 50, err: { message: 'unreadable' } } as object);
});

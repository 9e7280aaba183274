import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import test from 'ava';
import { startDaemon } from '../support/daemon.js';

test('a daemon whose greeting nobody reads to its end serves, and stops as asked', async (t) => {
  const { child, ask, close, exited } = await startDaemon(t);
  child.stdout?.destroy();
  t.is((await ask('GET', '/ping')).status, 200);
  close();
  child.kill('SIGTERM');
  const { code, stderr } = await exited;
  t.is(code, 0, stderr);
});

const onFull = existsSync('/dev/full') ? test : test.skip;

onFull('a daemon whose log can not be written serves, and stops as asked', async (t) => {
  const full = await open('/dev/full', 'w');
  t.teardown(() => full.close());
  const { ask, close, kill } = await startDaemon(t, { process: { stderr: full.fd } });
  for (const _ of Array.from({ length: 20 })) t.is((await ask('GET', '/ping')).status, 200);
  close();
  const { code, signal } = await kill('SIGTERM');
  t.deepEqual([code, signal], [0, null]);
});

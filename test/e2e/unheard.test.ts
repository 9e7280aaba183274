import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';

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
  const main = fileURLToPath(new URL('../../server/main.js', import.meta.url));
  const args = [main, '--port', '0', '--data', join(await scratch(t), 'data')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', full.fd] });
  t.teardown(() => child.kill('SIGKILL'));
  await full.close();
  const exited = once(child, 'close');
  const [greeting] = await once(child.stdout!, 'data');
  const rest = text(child.stdout!);
  const [url] = /http:[^ ]*/.exec(String(greeting)) ?? [];
  for (const _ of Array.from({ length: 20 })) t.is((await fetch(`${url}/ping`)).status, 200);
  child.kill('SIGTERM');
  t.deepEqual(await exited, [0, null]);
  await rest;
});

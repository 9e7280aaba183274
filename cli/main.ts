#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { Interrupted } from './errors.js';
import { run } from './run.js';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    const reason = new Interrupted(name);
    // who asks twice does not want to wait for us to clean up
    if (interrupt.signal.aborted) process.exit(reason.exit);
    interrupt.abort(reason);
  });
}

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
const exit = await run(process.argv.slice(2), { io: process, env: process.env, signal: interrupt.signal, version });
// what was not read of standard input would keep us waiting
process.exit(exit);

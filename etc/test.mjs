// Runs the tests and ends with what was skipped and why: all of them on stores in memory, then those that speak HTTP to
// a server again on a disk, and again on PostgreSQL and S3. Arguments go to the test runner, for one run of what they
// name, on the stores that SLIPWAY_TEST_STORES says. `--on-memory` is the first of these runs alone, without the tests of
// several daemons and those in a browser, which is the same whatever Node the server runs on.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runner = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
const enginesProgram = join(root, 'dist', 'test', 'support', 'suite-engines.js');

const ON_MEMORY = '--on-memory';
const onMemory = process.argv.includes(ON_MEMORY);
const named = process.argv.slice(2).filter((argument) => argument !== ON_MEMORY);

const ROUTES = ['dist/test/routes/*.test.js'];
const onAnyNode = [
  'dist/test/*.test.js',
  'dist/test/!(e2e|browser)/**/*.test.js',
  'dist/test/e2e/!(cluster-*).test.js',
];

const stages =
  named.length > 0
    ? [{ stores: process.env.SLIPWAY_TEST_STORES ?? 'memory', what: named }]
    : [
        { stores: 'memory', what: onMemory ? onAnyNode : [] },
        ...(onMemory ? [] : ['disk', 'cluster'].map((stores) => ({ stores, what: ROUTES }))),
      ];

/** What requests at random find is much the same on all stores. */
const fewer = { PROPERTY_COUNT: '500' };

const LOOK_EVERY = 60_000;
const seconds = (since) => `${Math.round((performance.now() - since) / 1000)} s`;
const seen = { passed: 0, failed: 0, skipped: [] };
let exitCode = 0;

// Tests that need one of them for themselves start it when there is none.
const engines = named.length === 0 || stages[0].stores === 'cluster' ? await openEngines() : undefined;
for (const { stores, what } of stages) {
  if (stores === 'cluster' && !engines.env) {
    if (engines.missing) seen.skipped.push(`the tests of routes on PostgreSQL and S3 (${engines.missing})`);
    continue;
  }
  const { code, signal } = await run(stores, what);
  exitCode ||= code ?? 1;
  if (signal) break;
}
await engines?.close?.();
for (const title of seen.skipped) console.log(`skipped: ${title}`);
console.log(`${seen.passed} passed, ${seen.failed} failed, ${seen.skipped.length} skipped`);
process.exitCode = exitCode || (seen.failed > 0 || seen.passed === 0 ? 1 : 0);

/** One run of the test runner, told as it goes on. */
async function run(stores, what) {
  const began = performance.now();
  const many = stages.length > 1;
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let inFailure = false;
  let wasEnded = false;

  if (many) console.log(`on ${stores}: begins`);
  const child = spawn(process.execPath, [runner, '--tap', ...what], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...(stores !== 'memory' && fewer), ...process.env, ...engines?.env, SLIPWAY_TEST_STORES: stores },
  });
  const passSignal = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, passSignal);
  const looking = setInterval(() => {
    console.log(`on ${stores}: ${counts.passed} passed, ${counts.failed} failed so far, after ${seconds(began)}`);
  }, LOOK_EVERY);
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));

  child.stdout.setEncoding('utf8');
  for await (const line of createInterface({ input: child.stdout })) read(line);
  const { code, signal } = await ended;
  clearInterval(looking);
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, passSignal);
  if (signal || !wasEnded) console.log(`on ${stores}: ended too early, with ${signal ?? code}`);
  if (many) {
    console.log(
      `on ${stores}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, in ${seconds(began)}`,
    );
  }
  return { code: wasEnded ? code : code || 1, signal };

  function read(line) {
    const [, not, title] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (title === undefined) {
      if (/^1\.\.\d/.test(line)) {
        wasEnded = true;
        inFailure = false;
      }
      // What the runner counts is counted here; what tests log, such as seeds, is shown.
      if (inFailure || /^#(?! (tests|pass|fail|skip)\b)/.test(line)) console.log(line);
      return;
    }
    inFailure = Boolean(not);
    const skip = / # SKIP/.test(title);
    const outcome = skip ? 'skipped' : not ? 'failed' : 'passed';
    counts[outcome] += 1;
    if (skip) seen.skipped.push(title.replace(/ # SKIP.*$/, ''));
    else seen[outcome] += 1;
    if (not) console.log(many ? `${line} (on ${stores})` : line);
  }
}

/** PostgreSQL and an S3 store for the whole run, or what they lack. They end with us, whichever way we do. */
async function openEngines() {
  console.log('starting PostgreSQL and an S3 store');
  const began = performance.now();
  const child = spawn(process.execPath, [enginesProgram], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (value === undefined) {
    console.log(`not ok - PostgreSQL and an S3 store did not start: their program ended with ${await ended}`);
    seen.failed += 1;
    return {};
  }
  const told = JSON.parse(value);
  if (told.missing !== undefined) {
    child.stdin.end();
    return told;
  }
  console.log(`they run after ${seconds(began)}`);
  return {
    env: told.env,
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}

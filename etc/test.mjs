// Runs the tests and ends with what was skipped and why. Arguments go to the test runner.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runner = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');

const child = spawn(process.execPath, [runner, '--tap', ...process.argv.slice(2)], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});

const seen = { passed: 0, failed: 0, skipped: [] };
let rest = '';
let inFailure = false;

child.stdout.setEncoding('utf8');
child.stdout.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) read(line);
});
child.on('close', (code) => {
  for (const title of seen.skipped) console.log(`skipped: ${title}`);
  console.log(`${seen.passed} passed, ${seen.failed} failed, ${seen.skipped.length} skipped`);
  process.exitCode = code === 0 && seen.passed === 0 ? 1 : (code ?? 1);
});

function read(line) {
  const [, not, title] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
  if (title === undefined) {
    // What the runner counts is counted here; what tests log, such as seeds, is shown.
    if (inFailure || /^#(?! (tests|pass|fail|skip)\b)/.test(line)) console.log(line);
    return;
  }
  inFailure = Boolean(not);
  const skip = / # SKIP/.test(title);
  if (skip) seen.skipped.push(title.replace(/ # SKIP.*$/, ''));
  else if (not) seen.failed += 1;
  else seen.passed += 1;
  if (not) console.log(line);
}

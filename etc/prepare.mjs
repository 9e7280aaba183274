// Before start, test and check: installs and builds what is missing, and does nothing when nothing changed.
// Plain JavaScript without imports of ours, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ['imgapi', 'storage', 'server', 'cli', 'test', 'bench'];
const tsc = (project) => [process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project];
const script = (name) => [process.execPath, join(root, 'etc', name)];

const steps = [
  {
    what: 'installing packages',
    stamp: join(root, 'node_modules', '.prepared'),
    state: () => digest([readFileSync(join(root, 'package-lock.json')), process.version]),
    // No package of ours needs its install script: the native ones carry prebuilt code or work without it.
    command: ['npm', 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
  },
  {
    what: 'building',
    stamp: join(root, 'dist', '.prepared'),
    // Tests look at the logic of the console, too.
    state: () => digest(['tsconfig.json', 'package-lock.json', 'console', ...sources].flatMap(timesBelow)),
    command: tsc(root),
  },
  {
    what: 'making types of the API for the console',
    stamp: join(root, 'dist', '.prepared-types'),
    state: () => digest(['docs/openapi.json', 'etc/console-types.mjs'].flatMap(timesBelow)),
    command: script('console-types.mjs'),
  },
  {
    what: 'building the console',
    stamp: join(root, 'dist', '.prepared-console'),
    state: () => digest(['console', 'package-lock.json', 'etc/build-console.mjs'].flatMap(timesBelow)),
    command: script('build-console.mjs'),
  },
];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or newer is needed, this is ${process.version}`);
for (const step of steps) run(step);
// A command that was linked stays one when it is built again.
for (const program of ['cli', 'server']) chmodSync(join(root, 'dist', program, 'main.js'), 0o755);

function run({ what, stamp, state, command: [program, ...args] }) {
  const wanted = state();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error(`slipway: ${what} …`);
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error || status !== 0)
    fail(`${what} failed: ${error?.message ?? `"${program} ${args[0]}" ended with ${status}`}`);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function timesBelow(name) {
  const path = join(root, name);
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) return [];
  if (!entry.isDirectory()) return [`${name}:${entry.size}:${entry.mtimeMs}`];
  return readdirSync(path)
    .sort()
    .flatMap((child) => timesBelow(join(name, child)));
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  return hash.digest('hex');
}

function fail(message) {
  console.error(`slipway: ${message}`);
  process.exit(1);
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Closing } from '../server/closing.js';
import { machine, revision } from './measure/machine.js';
import { pageWith } from './page.js';
import type { Bench, Part } from './part.js';
import { parts } from './parts.js';
import { sectionOf } from './report.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(root, 'docs', 'performance.md');

const USAGE = `usage: npm run bench -- [PART …] [--runs N] [--minutes N] [--directory DIR] [--dry]

  PART              ${parts.map(({ name }) => name).join(', ')}; all unless named
  --runs N          how many pairs are counted (9)
  --minutes N       how long the long run is (10)
  --directory DIR   where the servers keep their data: on the disk to measure (this project's)
  --dry             print only; docs/performance.md stays as it is`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '9' },
      minutes: { type: 'string', default: '10' },
      directory: { type: 'string', default: root },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [runs, minutes] = [Number(values.runs), Number(values.minutes)];
  const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
  if (values.help) return console.log(USAGE);
  if (process.platform !== 'linux') throw new Error('the bench reads what processes cost from /proc: it needs Linux');
  if (unknown.length > 0) throw new Error(`there is no part called ${unknown.join(', ')}\n\n${USAGE}`);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs takes a number of pairs, not "${values.runs}"`);
  if (!Number.isInteger(minutes) || minutes < 1) throw new Error(`--minutes takes a number, not "${values.minutes}"`);

  const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  for (const part of chosen) {
    const section = await measured(part, { runs, minutes }, values.directory);
    console.log(`\n${section}\n`);
    if (!values.dry) await writeFile(PAGE, pageWith(await currentPage(), new Map([[part.name, section]]), parts));
  }
}

async function measured(part: Part, how: Pick<Bench, 'runs' | 'minutes'>, where: string): Promise<string> {
  const closing = new Closing();
  const directory = closing.add(await mkdtemp(join(where, '.bench-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const stop = () => closing.close().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const say = (what: string) => console.error(`bench: ${part.name}: ${what} …`);
    const findings = await part.measure({ ...how, directory, closing, say });
    const date = new Date().toISOString().slice(0, 10);
    return sectionOf(part, findings, `${date}, commit ${await revision()}: ${await machine()}`);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await closing.close();
  }
}

async function currentPage(): Promise<string> {
  return readFile(PAGE, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

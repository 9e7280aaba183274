import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runShell } from '../load/run-shell.js';
import { inPairs } from '../measure/in-pairs.js';
import { compared } from '../measure/row.js';
import { settled } from '../measure/settled.js';
import type { Bench, Findings, Part } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { addImage, ask } from '../servers/fill.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const PEER = 'tar';

export const bundles: Part = {
  name: 'bundles',
  title: 'Bundles',
  about: `An image with a file of 1 GiB as a bundle through a pipe. *Written*: a process that bundles what lies in the store
into \`cat\`, and *exported*: \`curl\` of the export of a server into \`cat\`, one more hop; both against \`tar\` of the same
file into \`cat\`. *Read*: \`cat\` of the bundle into \`curl\`, which posts it, against \`cat\` of it through
\`tee\` into \`md5sum\`, \`sha1sum\`, \`sha256sum\` and \`tar\`, and a sync of what came out.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const daemon = await startDaemon(bench);
  const directory = join(bench.directory, 'plain');
  await mkdir(directory);
  await writeRandom(join(directory, 'file'));
  bench.say('making a bundle');
  const uuid = await addImage(daemon, join(directory, 'file'));
  const env = {
    URL: `http://127.0.0.1:${daemon.port}`,
    TOKEN: daemon.token,
    IMAGE: uuid,
    PLAIN: directory,
    BUNDLE: join(bench.directory, 'bundle.tar'),
  };

  bench.say('writing bundles');
  const stored = { ...env, PROGRAM: writeBundle, FILES: join(daemon.data, 'files'), KEY: await keyIn(daemon) };
  const tar = () => timed('tar cf - -C "$PLAIN" file | cat >/dev/null', env);
  const piped = `"${process.execPath}" "$PROGRAM" "$FILES" "$KEY" ${GIB} | cat >/dev/null`;
  const written = await inPairs(bench.runs, () => timed(piped, stored), tar);
  bench.say('exporting bundles');
  const exported = await inPairs(bench.runs, () => timed(`${EXPORT} | cat >/dev/null`, env), tar);

  await runShell(`${EXPORT} >"$BUNDLE"`, env);
  bench.say('reading bundles');
  const read = await inPairs(
    bench.runs,
    async () => {
      await remove(daemon, uuid);
      return timed(POST, env);
    },
    async () => {
      const out = join(bench.directory, randomUUID());
      const speed = await timed(UNTAR, { ...env, OUT: out });
      await rm(out, { recursive: true });
      return speed;
    },
  );
  const aim = { of: 'ratio', atLeast: 0.8 } as const;
  return {
    rows: [
      compared(PEER, written, { what: 'written into a pipe', unit: 'GiB/s', of: (speed) => speed, aim }),
      compared(PEER, exported, { what: 'exported over HTTP, into a pipe', unit: 'GiB/s', of: (speed) => speed, aim }),
      compared(PEER, read, { what: 'read', unit: 'GiB/s', of: (speed) => speed, aim }),
    ],
  };
}

const EXPORT = 'curl -sSf -H "Authorization: Bearer $TOKEN" "$URL/api/image/$IMAGE/export"';

const POST =
  'cat "$BUNDLE" | curl -sSf -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/x-tar" ' +
  '-H "Expect:" -X POST -T - "$URL/api/bundle?dc_bound=false" | grep -q \'"imported"\'';

const UNTAR = `
mkdir "$OUT"; cd "$OUT"; mkfifo md5 sha1 sha256; mkdir files
md5sum <md5 & sha1sum <sha1 & sha256sum <sha256 &
cat "$BUNDLE" | tee md5 sha1 sha256 | tar xf - -C files
wait; sync -f files
`;

const writeBundle = fileURLToPath(new URL('../load/write-bundle.js', import.meta.url));

/** Of the one blob that the daemon has. */
async function keyIn({ data }: Daemon): Promise<string> {
  const entries = await readdir(join(data, 'files', 'blobs'), { withFileTypes: true, recursive: true });
  const [file] = entries.filter((entry) => entry.isFile());
  if (!file) throw new Error('the daemon has no blob');
  return file.name;
}

async function timed(script: string, env: Record<string, string>): Promise<number> {
  await settled();
  return 1 / (await runShell(script, env));
}

/** So that it can come again, and no run finds the disk fuller than another. */
async function remove(daemon: Daemon, uuid: string): Promise<void> {
  await ask(daemon, 'DELETE', `/images/${uuid}`);
  const blobs = join(daemon.data, 'files', 'blobs');
  for (const entry of await readdir(blobs, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) await rm(join(entry.parentPath, entry.name));
  }
}

async function writeRandom(path: string): Promise<void> {
  const file = await open(path, 'w');
  for (let written = 0; written < GIB; written += MIB) await file.write(randomBytes(MIB));
  await file.close();
}

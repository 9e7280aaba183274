import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../../server/hypervisors/host.js';
import { canRunSshd, type Sshd, startSshd } from '../../test/support/sshd.js';
import type { FromNode, FromNodeJob } from '../load/from-node.js';
import { runLoad } from '../load/load.js';
import { runShell } from '../load/run-shell.js';
import { inPairs, repeatedly } from '../measure/in-pairs.js';
import { alone, compared } from '../measure/row.js';
import { settled } from '../measure/settled.js';
import type { Bench, Findings, Part } from '../part.js';
import { startServer } from '../servers/server.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const AT_ONCE = 4;
/** In each direction, in milliseconds. */
const DELAY = 25;
const PEER = 'ssh and coreutils';

export const snapshots: Part = {
  name: 'snapshots',
  title: 'Snapshots from nodes',
  about: `1 GiB of random bytes from an sshd on the same machine, by the daemon's own way from a node into its store, against
\`ssh -c aes128-gcm@openssh.com\` through \`tee\` into \`md5sum\`, \`sha1sum\`, \`sha256sum\` and a file that is synced. *Far*: through
a line with ${2 * DELAY} ms of round trip. *Packed*: \`gzip -1\` on the node. *${AT_ONCE} at once*: 1 GiB each, over one connection;
memory is the most that the process holds meanwhile. ssh2 runs without its native part, as it is installed.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  if (!canRunSshd()) return { rows: [], missing: ['sshd'] };
  const sshd = await startSshd({ teardown: (stop) => void bench.closing.add(stop, () => stop()) });
  await writeFile(join(bench.directory, 'key'), sshd.key.private, { mode: 0o600 });
  const file = join(bench.directory, 'snapshot');
  await writeRandom(file);
  const line = await startServer(bench, {
    name: 'slow line',
    command: process.execPath,
    args: [fileURLToPath(new URL('../servers/slow-line.js', import.meta.url)), String(sshd.port), String(DELAY)],
  });
  const near: Place = { bench, sshd, port: sshd.port };
  const far: Place = { bench, sshd, port: line.port };
  const cat: Command = ['cat', file];
  const packed: Command = {
    pipe: [
      ['cat', file],
      ['gzip', '-1'],
    ],
  };

  bench.say('1 GiB from a node');
  const one = await inPairs(
    bench.runs,
    () => taken(near, cat),
    () => copied(near, `cat ${file}`, DIGESTED),
  );
  bench.say('the same, with nothing but a copy by ssh');
  const bare = await repeatedly(bench.runs, () => copied(near, `cat ${file}`, COPIED));
  bench.say('1 GiB from a node far away');
  const distant = await inPairs(
    bench.runs,
    () => taken(far, cat),
    () => copied(far, `cat ${file}`, DIGESTED),
  );
  bench.say('1 GiB that the node packs');
  const smaller = await inPairs(
    bench.runs,
    () => taken(near, packed),
    () => copied(near, `cat ${file} | gzip -1`, DIGESTED),
  );
  bench.say(`${AT_ONCE} at once`);
  const many = await repeatedly(bench.runs, () => taken(near, cat, AT_ONCE));

  const rate = { unit: 'MiB/s', of: ({ seconds }: Measured) => GIB / MIB / seconds };
  return {
    rows: [
      compared(PEER, one, { what: 'from a node', ...rate, aim: { of: 'ratio', atLeast: 0.8 } }),
      alone(
        one.map(({ ours }) => ours),
        { what: 'from a node: processor', unit: 's', of: ({ cpu }) => cpu },
      ),
      alone(bare, { what: '`ssh … > file` alone, for information', ...rate }),
      compared(PEER, distant, { what: `from far, ${2 * DELAY} ms`, ...rate, aim: { of: 'ratio', atLeast: 2 } }),
      compared(PEER, smaller, {
        what: 'packed on the node',
        unit: 's',
        of: ({ seconds }) => seconds,
        aim: { of: 'ratio', atMost: 1.2 },
      }),
      alone(many, {
        what: `${AT_ONCE} at once`,
        unit: 'MiB/s',
        of: ({ seconds }) => (AT_ONCE * GIB) / MIB / seconds,
      }),
      alone(many, {
        what: `memory, ${AT_ONCE} at once`,
        unit: 'MiB',
        of: ({ peak }) => peak,
        aim: { of: 'ours', atMost: 200 },
      }),
    ],
  };
}

interface Place {
  bench: Bench;
  sshd: Sshd;
  port: number;
}

type Measured = Pick<FromNode, 'seconds' | 'cpu' | 'peak'>;

async function taken({ bench, sshd, port }: Place, command: Command, atOnce = 1): Promise<Measured> {
  await settled();
  const { user, hostKey, key } = sshd;
  const way = { port, user, hostKey, key: key.private };
  const directory = join(bench.directory, 'blobs');
  return runLoad<FromNodeJob, FromNode>(new URL('../load/from-node.js', import.meta.url), {
    way,
    command,
    directory,
    atOnce,
  });
}

const COPIED = 'cat >file; sync file';

const DIGESTED = `mkfifo md5 sha1 sha256
md5sum <md5 & sha1sum <sha1 & sha256sum <sha256 &
tee md5 sha1 sha256 >file; wait; sync file`;

async function copied({ bench, sshd, port }: Place, command: string, into: string): Promise<Measured> {
  const own = join(bench.directory, randomUUID());
  await mkdir(own);
  await settled();
  const ssh = [
    'ssh -F none -q -T -c aes128-gcm@openssh.com -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null',
    '-i "$KEY" -p "$PORT" "$AS"@127.0.0.1 "$COMMAND"',
  ].join(' ');
  const told = {
    DIRECTORY: own,
    KEY: join(bench.directory, 'key'),
    PORT: String(port),
    AS: sshd.user,
    COMMAND: command,
  };
  const seconds = await runShell(`cd "$DIRECTORY"; ${ssh} | { ${into}; }`, told);
  await rm(own, { recursive: true });
  return { seconds, cpu: Number.NaN, peak: Number.NaN };
}

async function writeRandom(path: string): Promise<void> {
  const file = await open(path, 'w');
  for (let written = 0; written < GIB; written += MIB) await file.write(randomBytes(MIB));
  await file.close();
}

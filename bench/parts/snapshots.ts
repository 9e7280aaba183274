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

const MIB = 2 ** 20;
/** MiB of random bytes: all of it, and what is enough where either side takes its time. */
const WHOLE = 1024;
const PART = 256;
const AT_ONCE = 4;
/** Of what is compared with nobody. */
const FEW = 3;
/** In each direction, in milliseconds. */
const DELAY = 25;
const PEER = 'ssh and coreutils';

export const snapshots: Part = {
  name: 'snapshots',
  title: 'Snapshots from nodes',
  about: `${WHOLE} MiB of random bytes from an sshd on the same machine, by the daemon's own way from a node into its store,
against \`ssh -c aes128-gcm@openssh.com\` through \`tee\` into \`md5sum\`, \`sha1sum\`, \`sha256sum\` and a file that is synced.
*Far*: ${PART} MiB through a line with ${2 * DELAY} ms of round trip. *Packed*: ${PART} MiB through \`gzip -1\` on the node; \`cat\` of a
file stands for \`zfs send\` on both sides. *${AT_ONCE} at once*: ${WHOLE} MiB each, over one connection. Memory is that of the process
which does what the daemon does, before and at most. ssh2 runs without its native part, as it is installed.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  if (!canRunSshd()) return { rows: [], missing: ['sshd'] };
  const sshd = await startSshd({ teardown: (stop) => void bench.closing.add(stop, () => stop()) });
  await writeFile(join(bench.directory, 'key'), sshd.key.private, { mode: 0o600 });
  const file = join(bench.directory, 'snapshot');
  const part = join(bench.directory, 'part');
  await writeRandom(file, WHOLE);
  await writeRandom(part, PART);
  const line = await startServer(bench, {
    name: 'slow line',
    command: process.execPath,
    args: [fileURLToPath(new URL('../servers/slow-line.js', import.meta.url)), String(sshd.port), String(DELAY)],
  });
  const near: Place = { bench, sshd, port: sshd.port };
  const far: Place = { bench, sshd, port: line.port };
  const few = Math.min(FEW, bench.runs);
  const packed: Command = {
    pipe: [
      ['cat', part],
      ['gzip', '-1'],
    ],
  };

  bench.say(`${WHOLE} MiB from a node`);
  const one = await inPairs(
    bench.runs,
    () => taken(near, ['cat', file]),
    () => copied(near, `cat ${file}`, DIGESTED),
  );
  bench.say('the same, with nothing but a copy by ssh');
  const bare = await repeatedly(few, () => copied(near, `cat ${file}`, COPIED));
  bench.say(`${PART} MiB from a node far away`);
  const distant = await inPairs(
    bench.runs,
    () => taken(far, ['cat', part]),
    () => copied(far, `cat ${part}`, DIGESTED),
  );
  bench.say(`${PART} MiB that the node packs`);
  const smaller = await inPairs(
    bench.runs,
    () => taken(near, packed),
    () => copied(near, `cat ${part} | gzip -1`, DIGESTED),
  );
  bench.say(`${AT_ONCE} times ${WHOLE} MiB at once`);
  const many = await repeatedly(few, () => taken(near, ['cat', file], AT_ONCE));

  const rate = (size: number) => ({ unit: 'MiB/s', of: ({ seconds }: Measured) => size / seconds });
  return {
    rows: [
      compared(PEER, one, { what: 'from a node', ...rate(WHOLE), aim: { of: 'ratio', atLeast: 0.8 } }),
      alone(
        one.map(({ ours }) => ours),
        { what: 'from a node: processor', unit: 's', of: ({ cpu }) => cpu },
      ),
      alone(bare, { what: '`ssh … > file` alone, for information', ...rate(WHOLE) }),
      compared(PEER, distant, { what: `from far, ${2 * DELAY} ms`, ...rate(PART), aim: { of: 'ratio', atLeast: 2 } }),
      compared(PEER, smaller, {
        what: 'packed on the node',
        unit: 's',
        of: ({ seconds }) => seconds,
        aim: { of: 'ratio', atMost: 1.2 },
      }),
      alone(many, { what: `${AT_ONCE} at once`, ...rate(AT_ONCE * WHOLE) }),
      alone(many, { what: 'memory, before anything is done', unit: 'MB', of: ({ idle }) => megabytes(idle) }),
      alone(many, {
        what: `memory, ${AT_ONCE} at once`,
        unit: 'MB',
        of: ({ peak }) => megabytes(peak),
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

type Measured = Omit<FromNode, 'bytes'>;

const megabytes = (mib: number) => (mib * MIB) / 1e6;

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
  return { seconds, cpu: Number.NaN, peak: Number.NaN, idle: Number.NaN };
}

async function writeRandom(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  for (let written = 0; written < size; written += 1) await file.write(randomBytes(MIB));
  await file.close();
}

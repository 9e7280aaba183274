import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ava, { type ExecutionContext } from 'ava';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const needs = ['nginx, to run the example', 'postgresql, to keep records', 'ceph, to keep bytes'] as const;
const test = needs.every((need) => isMet[need]) ? ava.serial : ava.serial.skip;
const titled = (title: string) => `${title} (${needs.join('; ')})`;

const script = fileURLToPath(new URL('../../../etc/cluster/try.sh', import.meta.url));
const main = fileURLToPath(new URL('../../server/main.js', import.meta.url));

/** Nothing that is set for the tests, or for a store, means the example. */
const environment = (more: Record<string, string> = {}) => {
  const own = Object.entries(process.env).filter(([name]) => !/^(SLIPWAY_|AWS_|PG|S3_)|_proxy$/i.test(name));
  return { ...Object.fromEntries(own), SLIPWAYD: `${process.execPath} ${main}`, ...more };
};

interface Example {
  child: ChildProcess;
  /** What it has printed. */
  lines: string[];
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

function start(t: ExecutionContext, directory: string): Example {
  const child = spawn('bash', [script, directory], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const lines: string[] = [];
  const ended = once(child, 'close');
  for (const stream of [child.stdout!, child.stderr!])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  const printed = async (pattern: RegExp) => {
    for (;;) {
      for (const line of lines) {
        const found = pattern.exec(line);
        if (found) return found;
      }
      const isOver = await Promise.race([ended.then(() => true), pause(100, false)]);
      if (isOver) throw new Error(`it ended without saying ${pattern}: ${lines.join('\n')}`);
    }
  };
  return { child, lines, printed };
}

test(
  titled('the example starts as docs/cluster.md says, goes on without a daemon, and leaves nothing behind'),
  async (t) => {
    t.timeout(300_000);
    // Not in a directory that root alone may enter: PostgreSQL does not run as root.
    const directory = join(tmpdir(), `slipway-try-${randomBytes(6).toString('hex')}`);
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const { child, lines, printed } = start(t, directory);
    await printed(/Ctrl-C.* ends all of it/);
    const [, url = ''] = await printed(/nginx +(http:\S+)/);
    const daemons = await Promise.all(
      ['a', 'b'].map(async (name) => (await printed(new RegExp(`daemon ${name} +(http:\\S+)`)))[1]!),
    );
    const [, tokenFile = ''] = await printed(/token +(\S+)/);
    const authorization = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`;
    const ask = (base: string, path: string, init: RequestInit = {}) =>
      fetch(base + path, { ...init, headers: { authorization, ...init.headers } });
    const json = async (base: string, path: string, body?: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await ask(base, path, body && { method: 'POST', headers, body: JSON.stringify(body) });
      t.true(answer.ok, `${path}: ${answer.status}`);
      return (await answer.json()) as { uuid: string; result: { name: string }[] };
    };

    const file = randomBytes(1_000_000);
    const { uuid } = await json(url, '/images', {
      name: 'first',
      version: '1',
      type: 'other',
      os: 'other',
      public: true,
    });
    const uploaded = await ask(url, `/images/${uuid}/file?compression=none`, { method: 'PUT', body: file });
    t.is(uploaded.status, 200, await uploaded.text());
    await json(url, `/images/${uuid}?action=activate`, {});
    for (const daemon of daemons) {
      const got = await fetch(`${daemon}/images/${uuid}/file`);
      t.true(file.equals(Buffer.from(await got.arrayBuffer())), `the file at ${daemon}`);
    }
    const { result } = await json(url, '/api/member');
    t.deepEqual(result.map(({ name }) => name).sort(), ['a', 'b']);

    process.kill(Number(await readFile(join(directory, 'a.pid'), 'utf8')), 'SIGKILL');
    for (let n = 0; n < 10; n += 1) t.is((await fetch(`${url}/images/${uuid}`)).status, 200);
    await json(url, '/images', { name: 'second', version: '1', type: 'other', os: 'other', public: true });
    await printed(/daemon a has ended/);
    while (!(await fetch(`${daemons[0]}/readyz`).catch(() => undefined))?.ok) await pause(200);
    t.is((await fetch(`${daemons[0]}/images/${uuid}`)).status, 200);

    const pids = await Promise.all(
      ['a', 'b'].map(async (name) => Number(await readFile(join(directory, `${name}.pid`), 'utf8'))),
    );
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    t.is(code, 130, lines.join('\n'));
    t.false(existsSync(directory));
    for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  },
);

const bash = isMet.bash ? ava : ava.skip;

bash('what the example misses it says in a sentence (bash)', async (t) => {
  const directory = await scratch(t);
  const tell = async (found: readonly string[], env: Record<string, string> = {}) => {
    const bin = join(directory, `${Object.keys(env)}${found.length}`);
    await mkdir(bin);
    for (const name of found)
      await symlink(
        spawnSync('bash', ['-c', `command -v ${name}`])
          .stdout.toString()
          .trim(),
        join(bin, name),
      );
    const { status, stderr } = spawnSync('bash', [script], {
      env: environment({ PATH: bin, TMPDIR: directory, ...env }),
      encoding: 'utf8',
    });
    t.is(status, 1);
    return stderr;
  };
  const shell = ['bash', 'dirname', 'ls', 'sort', 'tail'];
  t.regex(await tell(shell), /Node 20 is needed/);
  t.regex(await tell([...shell, 'node']), /setpriv is needed: apt-get install util-linux/);
  t.regex(await tell([...shell, 'node', 'setpriv']), /curl is needed/);
  if (!needs.every((need) => isMet[need])) return;
  t.regex(
    await tell([...shell, 'node', 'setpriv', 'curl']),
    /there is no S3 store\..* ceph-osd .*\(ceph is missing\)/s,
  );
  t.regex(await tell([...shell, 'node', 'setpriv', 'curl'], { S3_BUCKET: 'bucket' }), /S3_ENDPOINT is not/);
});

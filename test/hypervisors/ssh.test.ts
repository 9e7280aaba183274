import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { access, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { CommandFailed, HostUnreachable, type Unreached } from '../../server/hypervisors/host.js';
import { makeKey } from '../../server/hypervisors/node-key.js';
import { fingerprint, publicLineOf } from '../../server/hypervisors/ssh.js';
import { giveBack } from '../../storage/give-back.js';
import { isMet } from '../support/needs.js';
import { startAgent } from '../support/ssh-agent.js';
import { sshKey } from '../support/ssh-keys.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const known = isMet['sshd, to be talked to'] ? test.serial : test.skip;
const never = new AbortController().signal;
setMaxListeners(0, never);
const MiB = 1024 ** 2;

async function node(t: ExecutionContext, options: Parameters<typeof startSshd>[1] = {}) {
  const sshd = await startSshd(t, options);
  return { sshd, host: sshd.host(t) };
}

async function failed(t: ExecutionContext, running: Promise<unknown>): Promise<CommandFailed> {
  return (await t.throwsAsync(running, { instanceOf: CommandFailed })) as CommandFailed;
}

async function unreached(t: ExecutionContext, running: Promise<unknown>, reason: Unreached): Promise<string> {
  const error = (await t.throwsAsync(running, { instanceOf: HostUnreachable })) as HostUnreachable;
  t.is(error.reason, reason, error.message);
  return error.message;
}

async function sizeOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) size += chunk.length;
  return size;
}

const shell = (script: string) => ['sh', '-c', script] as const;

known('a command hears its arguments as they are, over whatever shell the user has', async (t) => {
  const { host } = await node(t);
  const given = ['$(reboot)', 'a b', '-rf', "it's", '\\', '', 'a\nb', '日本語', 'x'.repeat(200), '!!', '*'];
  t.is(await host.run(['printf', '%s|', ...given], { signal: never }), `${given.join('|')}|`);
});

known('what it reads, and what it prints, comes whole', async (t) => {
  const { host, sshd } = await node(t);
  const input = randomBytes(50_000);
  const chunks: Uint8Array[] = [];
  for await (const chunk of host.stream({ pipe: [['cat'], ['cat']] }, { signal: never, input })) chunks.push(chunk);
  t.true(Buffer.concat(chunks).equals(input));
  t.is(await host.run(['cat'], { signal: never, input: 'ü\n' }), 'ü\n');
  t.is(await host.run(['cat'], { signal: never }), '');
  t.is(await sizeOf(host.stream(['head', '-c', String(40 * MiB), '/dev/zero'], { signal: never })), 40 * MiB);
  await sshd.nothingRuns();
});

known('what is printed comes in memory that may be given back, whatever the cipher', async (t) => {
  const printed = randomBytes(8 * MiB);
  for (const cipher of ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-ctr']) {
    const { host, sshd } = await node(t, { config: [`Ciphers ${cipher}`] });
    const file = join(sshd.directory, 'printed');
    await writeFile(file, printed);
    const one = async () => {
      let size = 0;
      for await (const chunk of host.stream(['cat', file], { signal: never })) {
        t.true(printed.subarray(size, size + chunk.length).equals(chunk), cipher);
        size += chunk.length;
        giveBack(chunk);
        t.is(chunk.length, 0);
        t.is(await host.run(['echo', 'between'], { signal: never }), 'between\n');
      }
      t.is(size, printed.length);
    };
    await Promise.all([one(), one()]);
  }
});

known('one that fails after all bytes has failed, however whole they look', async (t) => {
  const { host, sshd } = await node(t);
  const stream = host.stream(shell('head -c 3000000 /dev/zero; echo no more >&2; exit 3'), { signal: never });
  let size = 0;
  const error = await failed(
    t,
    (async () => {
      for await (const chunk of stream) size += chunk.length;
    })(),
  );
  t.is(size, 3_000_000);
  t.like(error, { command: 'sh', host: 'node1', code: 3, said: 'no more' });
  t.is(error.message, 'sh on node1 ended with 3: no more');
  await sshd.nothingRuns();
});

known('a tool that is not there, a part of a pipe that fails, one that is killed', async (t) => {
  const { host } = await node(t);
  const run = (command: Parameters<typeof host.run>[0]) => failed(t, host.run(command, { signal: never }));
  t.like(await run(['no-such-tool', 'x']), { code: 127, command: 'no-such-tool' });
  t.like(await run({ pipe: [shell('exit 4'), ['cat']] }), { code: 4, command: 'sh | cat' });
  t.like(await run({ pipe: [['true'], ['no-such-tool'], ['cat']] }), { code: 127 });
  const killed = await run(shell('echo before >&2; kill -TERM $$'));
  t.is(killed.code, undefined);
  t.regex(killed.message, /^sh on node1 did not come to its end: before\b.*killed by /s);
});

known('a command ends well even where its end comes at once', async (t) => {
  const { host } = await node(t);
  for (let left = 50; left > 0; left -= 1) t.is(await host.run(['true'], { signal: never }), '');
});

known('one that floods standard error neither stops nor grows, and its last words are kept', async (t) => {
  const { host, sshd } = await node(t);
  const before = process.memoryUsage().rss;
  const flood = shell('yes complaint | head -c 60000000 >&2; echo out; echo last words >&2; exit 1');
  const error = await failed(t, host.run(flood, { signal: never }));
  t.true(error.said.endsWith('last words'));
  t.true(error.said.length <= 2048);
  t.true(process.memoryUsage().rss - before < 100 * MiB);
  const endless = new AbortController();
  const stream = host.stream(shell('echo out; yes complaint >&2'), { signal: endless.signal });
  for await (const chunk of stream) {
    t.is(Buffer.from(chunk).toString(), 'out\n');
    break;
  }
  await sshd.nothingRuns();
});

known('one that prints more than it may is stopped', async (t) => {
  const { host, sshd } = await node(t);
  const error = await failed(t, host.run(['yes'], { signal: never, most: 100_000 }));
  t.is(error.message, 'yes on node1 did not come to its end: it printed more than 100000 bytes');
  await sshd.nothingRuns();
});

known('one that says nothing for too long is stopped, one that does may take its time', async (t) => {
  const { host, sshd } = await node(t);
  const error = await failed(t, host.run(shell('echo out; sleep 1000'), { signal: never, silence: 300 }));
  t.is(error.message, 'sh on node1 did not come to its end: it said nothing for 0.3 s');
  await sshd.nothingRuns();
  const talks = shell('for i in $(seq 30); do echo $i >&2; sleep 0.2; done; echo done');
  t.is(await host.run(talks, { signal: never, silence: 5000 }), 'done\n');
});

known('whoever stops early leaves nothing behind', async (t) => {
  const { host, sshd } = await node(t);
  const noise = { pipe: [shell('sleep 1000 & cat /dev/zero'), ['cat']] } as const;
  for await (const chunk of host.stream(noise, { signal: never })) {
    t.true(chunk.length > 0);
    break;
  }
  await sshd.nothingRuns();
  t.is(await host.run(['echo', 'still here'], { signal: never }), 'still here\n');
});

known('an abort ends it at any moment, with its reason, and nothing is left there', async (t) => {
  const { host, sshd } = await node(t);
  const reason = new Error('not wanted any more');
  t.is(await t.throwsAsync(host.run(['true'], { signal: AbortSignal.abort(reason) })), reason);

  // While the connection is made, and while the command starts.
  for (const turns of [0, 1, 2, 5, 20, 50, 100, 200]) {
    const fresh = sshd.host(t);
    const stop = new AbortController();
    const running = fresh.run(shell('sleep 1000 & sleep 1000'), { signal: stop.signal });
    for (let left = turns; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(reason);
    t.is(await t.throwsAsync(running), reason);
  }
  await sshd.nothingRuns();

  // While it hangs, reads nothing and says nothing.
  const stop = new AbortController();
  const hangs = host.stream(shell('trap "" TERM HUP PIPE; echo up; sleep 1000 & sleep 1000'), { signal: stop.signal });
  const running = hangs[Symbol.asyncIterator]();
  t.is(Buffer.from((await running.next()).value).toString(), 'up\n');
  const next = running.next();
  stop.abort(reason);
  t.is(await t.throwsAsync(next), reason);
  await sshd.nothingRuns();

  // While nobody takes what comes.
  const full = new AbortController();
  const stuck = host.stream(['cat', '/dev/zero'], { signal: full.signal })[Symbol.asyncIterator]();
  await stuck.next();
  full.abort(reason);
  await sshd.nothingRuns();
  t.is(await t.throwsAsync(stuck.next()), reason);
});

known('what the daemon had running ends with it, however it goes', async (t) => {
  const { sshd } = await node(t);
  const daemon = spawnHolder(sshd);
  t.teardown(() => void daemon.kill('SIGKILL'));
  await once(daemon.stdout!, 'data');
  t.not((await sshd.processes()).length, 0);
  daemon.kill('SIGKILL');
  await sshd.nothingRuns();
});

/** A process that has a command run, and waits. */
function spawnHolder({ port, user, hostKey, key }: Sshd): ChildProcess {
  const ssh = fileURLToPath(new URL('../../server/hypervisors/ssh.js', import.meta.url));
  const program = `
    import { SshHost } from ${JSON.stringify(ssh)};
    const [port, user, hostKey, key] = JSON.parse(process.argv[1]);
    const way = { name: 'n', address: '127.0.0.1', port, user, hostKeys: [hostKey], keys: () => [key] };
    const host = new SshHost(way, async () => {});
    const { signal } = new AbortController();
    const command = { pipe: [['sh', '-c', 'echo up; sleep 1000 & sleep 1000'], ['cat']] };
    for await (const chunk of host.stream(command, { signal })) process.stdout.write(chunk);`;
  const told = JSON.stringify([port, user, hostKey, key.private]);
  return spawn(process.execPath, ['--input-type=module', '-e', program, told], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

known('a node that dies half-way is lost, and found again when it is back', async (t) => {
  const { host, sshd } = await node(t);
  const stream = host.stream(shell('echo up; sleep 1000'), { signal: never })[Symbol.asyncIterator]();
  await stream.next();
  await sshd.stop();
  await sshd.cut();
  t.regex(await unreached(t, stream.next(), 'lost'), /^the connection to node1 was lost/);
  await sshd.nothingRuns();
  t.regex(
    await unreached(t, host.run(['true'], { signal: never }), 'unreachable'),
    /^node1 \(127\.0\.0\.1:\d+\) can not be reached: .*ECONNREFUSED/,
  );
  await sshd.start();
  t.is(await host.run(['echo', 'back'], { signal: never }), 'back\n');
});

known('a node that gives no sign of life any more is lost', async (t) => {
  const { sshd } = await node(t);
  const host = sshd.host(t, {}, { alive: 1000, killed: 50 });
  const stream = host.stream(shell('echo up; sleep 1000'), { signal: never })[Symbol.asyncIterator]();
  await stream.next();
  await sshd.freeze();
  await unreached(t, stream.next(), 'lost');
});

known('an abort does not wait for a node that hangs', async (t) => {
  const { sshd } = await node(t);
  const host = sshd.host(t, {}, { killed: 50 });
  const stop = new AbortController();
  const stream = host.stream(shell('echo up; sleep 1000'), { signal: stop.signal })[Symbol.asyncIterator]();
  await stream.next();
  await sshd.freeze();
  const starting = host.run(['true'], { signal: stop.signal });
  stop.abort(new Error('enough'));
  await t.throwsAsync(stream.next(), { message: 'enough' });
  await t.throwsAsync(starting, { message: 'enough' });
});

known('who does not answer is left alone after a time, and an abort needs none', async (t) => {
  const { sshd } = await node(t);
  const mute = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => void mute.close());
  const { port } = mute.address() as AddressInfo;
  const host = sshd.host(t, { port }, { connect: 200 });
  t.is(
    await unreached(t, host.run(['true'], { signal: never }), 'timeout'),
    `node1 (127.0.0.1:${port}) did not answer within 0.2 s`,
  );
  const patient = sshd.host(t, { port }, { connect: 60_000 });
  const stop = new AbortController();
  const running = patient.run(['true'], { signal: stop.signal });
  const connected = once(mute, 'connection');
  await connected;
  stop.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
  patient.close();
  await unreached(t, patient.run(['true'], { signal: never }), 'lost');
});

known('what is no sshd is told apart from what is', async (t) => {
  const { sshd } = await node(t);
  const web = createServer((socket) => void socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.teardown(() => void web.close());
  const { port } = web.address() as AddressInfo;
  await unreached(t, sshd.host(t, { port }).run(['true'], { signal: never }), 'unreachable');
  const nowhere = sshd.host(t, { address: 'no-such-host.invalid' });
  await unreached(t, nowhere.run(['true'], { signal: never }), 'unreachable');
});

known('who is not let in is told what to do, also where a password is asked for', async (t) => {
  const { sshd } = await node(t);
  const stranger = makeKey('stranger');
  const host = sshd.host(t, { keys: () => [stranger.private] });
  t.regex(
    await unreached(t, host.run(['true'], { signal: never }), 'authentication'),
    /^node1 \(.*\) takes none of the keys of user ".+": add what "slipway node key" prints to its authorized_keys$/,
  );
  const { sshd: asking } = await node(t, {
    config: [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PubkeyAuthentication no',
    ],
  });
  t.regex(
    await unreached(t, asking.host(t).run(['true'], { signal: never }), 'authentication'),
    /asks for a keyboard-interactive of user/,
  );
  const { sshd: password } = await node(t, { config: ['PasswordAuthentication yes', 'PubkeyAuthentication no'] });
  t.regex(
    await unreached(t, password.host(t).run(['true'], { signal: never }), 'authentication'),
    /asks for a password of user .*slipway node key/,
  );
  for (const one of [sshd, asking, password]) t.deepEqual(await one.processes(), []);
});

known('another host key than the one that is known ends it before anything is said', async (t) => {
  const { sshd } = await node(t);
  const before = sshd.hostKey;
  await sshd.replaceHostKey();
  for (const attempt of [1, 2]) {
    const message = await unreached(
      t,
      sshd.host(t, { hostKeys: [before] }).run(['true'], { signal: never }),
      'host-key',
    );
    t.true(message.includes(fingerprint(before)), String(attempt));
    t.true(message.includes(fingerprint(sshd.hostKey)));
    t.true(message.includes(`slipway node set node1 --host-keys "${sshd.hostKey}"`));
  }
  t.deepEqual(await sshd.processes(), []);
  t.is(await sshd.host(t, { hostKeys: [before, sshd.hostKey] }).run(['echo', 'y'], { signal: never }), 'y\n');
});

known('the first host key is told before anything is asked, and is the only one from then on', async (t) => {
  const { sshd } = await node(t);
  const met: string[] = [];
  const { port, user, key } = sshd;
  const { SshHost } = await import('../../server/hypervisors/ssh.js');
  const way = { name: 'node1', address: '127.0.0.1', port, user, hostKeys: [], keys: () => [key.private] };
  const refusing = new SshHost(way, async () => {
    throw new Error('not this one');
  });
  t.teardown(() => refusing.close());
  await t.throwsAsync(refusing.run(['touch', join(sshd.directory, 'ran')], { signal: never }), {
    message: 'not this one',
  });
  await t.throwsAsync(access(join(sshd.directory, 'ran')));
  const host = new SshHost(way, async (hostKey) => void met.push(hostKey));
  t.teardown(() => host.close());
  await Promise.all([1, 2, 3].map(() => host.run(['true'], { signal: never })));
  t.deepEqual(met, [sshd.hostKey]);
  t.deepEqual(host.hostKeys, [sshd.hostKey]);
  await sshd.replaceHostKey();
  await sshd.cut();
  await t.throwsAsync(host.run(['true'], { signal: never }));
  await unreached(t, host.run(['true'], { signal: never }), 'host-key');
  t.is(met.length, 1);
});

known('a machine with keys of several kinds shows the one that is known', async (t) => {
  const rsa = sshKey('rsa', 'host');
  const { sshd } = await node(t, { hostKeys: [rsa.pem] });
  const host = sshd.host(t, { hostKeys: [rsa.line] });
  t.is(await host.run(['echo', 'x'], { signal: never }), 'x\n');
  t.is(await sshd.host(t).run(['echo', 'x'], { signal: never }), 'x\n');
});

known('one connection carries all, and is ended when nobody uses it', async (t) => {
  const { sshd } = await node(t);
  const host = sshd.host(t, {}, { idle: 20 });
  const from = async () => (await host.run(shell('echo $SSH_CONNECTION'), { signal: never })).split(' ')[1];
  const ports = await Promise.all([from(), from(), from(), from(), from()]);
  t.is(new Set(ports).size, 1);
  await sshd.idle();
  t.not(await from(), ports[0]);
});

known('four streams come at once, and short commands between them', async (t) => {
  const { host, sshd } = await node(t);
  const streams = [1, 2, 3, 4].map(() =>
    sizeOf(host.stream(['head', '-c', String(24 * MiB), '/dev/zero'], { signal: never })),
  );
  const words = await Promise.all(
    Array.from({ length: 20 }, (_, at) => host.run(['echo', String(at)], { signal: never })),
  );
  t.is(words.join(''), Array.from({ length: 20 }, (_, at) => `${at}\n`).join(''));
  t.deepEqual(
    await Promise.all(streams),
    [1, 2, 3, 4].map(() => 24 * MiB),
  );
  await sshd.nothingRuns();
});

known('an sshd that takes few commands at once gets them one after another', async (t) => {
  const { host, sshd } = await node(t, { config: ['MaxSessions 1'] });
  const words = await Promise.all([1, 2, 3, 4, 5].map((at) => host.run(['echo', String(at)], { signal: never })));
  t.is(words.join(''), '1\n2\n3\n4\n5\n');
  const stop = new AbortController();
  const stream = host.stream(shell('echo up; sleep 1000'), { signal: stop.signal })[Symbol.asyncIterator]();
  await stream.next();
  const waits = host.run(['true'], { signal: stop.signal });
  stop.abort(new Error('enough'));
  await t.throwsAsync(waits, { message: 'enough' });
  await t.throwsAsync(stream.next(), { message: 'enough' });
  await sshd.nothingRuns();
  const { host: closed } = await node(t, { config: ['MaxSessions 0'] });
  t.regex(await unreached(t, closed.run(['true'], { signal: never }), 'unreachable'), /^node1 refuses: /);
});

known('the other side may send ahead, much more than ssh2 lets it, but not without end', async (t) => {
  const { host, sshd } = await node(t);
  const mark = (name: string) => join(sshd.directory, name);
  const ahead = shell(
    `head -c ${7 * MiB} /dev/zero; touch ${mark('ahead')}; head -c ${64 * MiB} /dev/zero; touch ${mark('end')}`,
  );
  const stream = host.stream(ahead, { signal: never })[Symbol.asyncIterator]();
  await stream.next();
  // Would never be there, had the window stayed at the 2 MiB of ssh2.
  await host.run(shell(`while [ ! -e ${mark('ahead')} ]; do sleep 0.02; done`), { signal: never });
  for (let left = 20; left > 0; left -= 1) await host.run(['sleep', '0.01'], { signal: never });
  await t.throwsAsync(access(mark('end')));
  let size = 0;
  for (let next = await stream.next(); !next.done; next = await stream.next()) size += next.value.length;
  t.true(size > 70 * MiB);
  await access(mark('end'));
});

known('a node is reached through another one', async (t) => {
  const { sshd } = await node(t, { authorized: [] });
  const { sshd: near } = await node(t);
  await near.authorize([`restrict,port-forwarding ${near.key.public}`]);
  await sshd.authorize([`restrict ${sshd.key.public}`]);
  const through = near.host(t, { name: 'jump' });
  const host = sshd.host(t, { through });
  t.is(await sizeOf(host.stream(['head', '-c', String(20 * MiB), '/dev/zero'], { signal: never })), 20 * MiB);
  const stream = host.stream(shell('echo up; sleep 1000'), { signal: never })[Symbol.asyncIterator]();
  await stream.next();
  await near.cut();
  await unreached(t, stream.next(), 'lost');
  await sshd.nothingRuns();
  t.is(await host.run(['echo', 'again'], { signal: never }), 'again\n');
  await sshd.stop();
  const gone = sshd.host(t, { through });
  t.regex(await unreached(t, gone.run(['true'], { signal: never }), 'unreachable'), /^jump refuses: /);
  await near.authorize([`restrict ${near.key.public}`]);
  const strict = sshd.host(t, { through: near.host(t, { name: 'jump' }) });
  t.regex(await unreached(t, strict.run(['true'], { signal: never }), 'unreachable'), /^jump refuses: /);
});

known('keys of the agent count where they are to', async (t) => {
  const held = sshKey('ed25519', 'held');
  const { sshd } = await node(t, { authorized: [held.line] });
  const agent = await startAgent(t, [sshKey('rsa', 'other'), held]);
  await unreached(t, sshd.host(t).run(['true'], { signal: never }), 'authentication');
  t.is(agent.signed(), 0);
  t.is(await sshd.host(t, { agent: agent.socket }).run(['echo', 'x'], { signal: never }), 'x\n');
  t.is(agent.signed(), 1);
  const none = sshd.host(t, { agent: '' });
  t.regex(
    await unreached(t, none.run(['true'], { signal: never }), 'authentication'),
    /no agent runs beside the server/,
  );
  const gone = sshd.host(t, { agent: join(sshd.directory, 'no-agent') });
  t.regex(
    await unreached(t, gone.run(['true'], { signal: never }), 'authentication'),
    /\(the agent: Failed to connect to agent\)/,
  );
});

known('of several keys the one that opens is found', async (t) => {
  const { sshd } = await node(t);
  const keys = () => [makeKey('a').private, sshd.key.private];
  t.is(await sshd.host(t, { keys }).run(['echo', 'x'], { signal: never }), 'x\n');
});

test('keys that are made here can be read again, all of them', async (t) => {
  for (let left = 600; left > 0; left -= 1) {
    const { private: key, public: line } = makeKey('x');
    t.is(publicLineOf(key), line);
  }
  t.is(publicLineOf('nothing'), undefined);
  t.is(publicLineOf((await readFile(fileURLToPath(import.meta.url))).toString()), undefined);
});

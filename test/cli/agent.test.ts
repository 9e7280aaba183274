import { verify } from 'node:crypto';
import { join } from 'node:path';
import test from 'ava';
import { sshAgent } from '../../cli/agent.js';
import { signingKeys } from '../../cli/ssh-keys.js';
import { scratch } from '../support/scratch.js';
import { type Behaviour, startAgent, string } from '../support/ssh-agent.js';
import { type KeyKind, sshKey } from '../support/ssh-keys.js';
import { terminal } from '../support/terminal.js';

const asking = (socket: string) => ({
  io: terminal().io,
  signal: new AbortController().signal,
  env: { SSH_AUTH_SOCK: socket },
});

const kinds: [KeyKind, algorithm: string, hash: string | null][] = [
  ['rsa', 'rsa-sha256', 'sha256'],
  ['ecdsa-256', 'ecdsa-sha256', 'sha256'],
  ['ecdsa-384', 'ecdsa-sha384', 'sha384'],
  ['ecdsa-521', 'ecdsa-sha512', 'sha512'],
  ['ed25519', 'ed25519-sha512', null],
];

for (const [kind, algorithm, hash] of kinds) {
  test(`a key of kind ${kind} in the agent signs as ${algorithm}`, async (t) => {
    const key = sshKey(kind);
    const { socket } = await startAgent(t, [sshKey('rsa-1024'), key]);
    const [held, ...others] = await signingKeys(`SHA256:${key.sha256.replace(/^SHA256:/, '')}`, asking(socket));
    t.deepEqual(others, []);
    t.is(held?.algorithm, algorithm);
    const data = Buffer.from('what is signed');
    // halves of ECDSA signatures are now and then shorter, or need a zero in front
    for (let times = 0; times < 8; times += 1) {
      t.true(verify(hash, data, key.privateKey, await held!.sign(data)));
    }
  });
}

test('without a name all keys of the agent that can sign are meant, in its order', async (t) => {
  const rsa = sshKey('rsa');
  const token = { ...rsa, line: 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t' };
  const { socket } = await startAgent(t, [token, sshKey('ed25519'), rsa]);
  const keys = await signingKeys(undefined, asking(socket));
  t.deepEqual(
    keys.map(({ algorithm }) => algorithm),
    ['ed25519-sha512', 'rsa-sha256'],
  );
});

test('an agent that knows no SHA-256 is refused', async (t) => {
  const rsa = sshKey('rsa');
  const { socket } = await startAgent(t, [rsa], (answer, to) =>
    to.write(Buffer.from(answer.toString('latin1').replace('rsa-sha2-256', 'ssh-rsa-cert'), 'latin1')),
  );
  const [key] = await signingKeys(undefined, asking(socket));
  await t.throwsAsync(key!.sign(Buffer.from('x')), { message: /too old/ });
});

const failures: [what: string, behave: Behaviour, message: RegExp][] = [
  ['refuses', (_, socket) => socket.write(string(Buffer.of(5))), /it refuses: is it locked/],
  ['hangs up', (_, socket) => socket.end(), /it hung up/],
  ['hangs up in the middle', (answer, socket) => socket.end(answer.subarray(0, 9)), /it hung up/],
  [
    'answers without end',
    (_, socket) => socket.write(Buffer.from('ffffffff00', 'hex')),
    /answers with 4294967295 bytes/,
  ],
  ['cuts a string short', (_, socket) => socket.write(string(Buffer.from('0c00000001000000ff00', 'hex'))), /cut short/],
];

for (const [what, behave, message] of failures) {
  test(`an agent that ${what} is told of`, async (t) => {
    const { socket } = await startAgent(t, [sshKey('rsa')], behave);
    await t.throwsAsync(signingKeys(undefined, asking(socket)), { message });
  });
}

test('an answer may come in pieces', async (t) => {
  const { socket } = await startAgent(t, [sshKey('rsa')], (answer, to) => {
    for (const byte of answer) to.write(Buffer.of(byte));
  });
  t.is((await signingKeys(undefined, asking(socket))).length, 1);
});

test('who waits for an agent can be interrupted', async (t) => {
  const asked = new AbortController();
  const { socket } = await startAgent(t, [sshKey('rsa')], () => asked.abort(new Error('enough')));
  await t.throwsAsync(sshAgent(socket, asked.signal).keys(), { message: 'enough' });
});

test('no agent, and one that has gone', async (t) => {
  const gone = join(await scratch(t), 'agent');
  await t.throwsAsync(signingKeys(undefined, asking('')), { message: /SSH_AUTH_SOCK is not set/ });
  await t.throwsAsync(signingKeys(undefined, asking(gone)), { message: /the ssh-agent at .* failed: connect ENOENT/ });
});

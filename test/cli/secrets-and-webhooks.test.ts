import test, { type ExecutionContext } from 'ava';
import { secrets } from '../../server/model/secret.js';
import { commandLineOf } from '../support/command-line.js';
import { isSigned, receiver } from '../support/receiver.js';
import { startServer } from '../support/server.js';

async function startCli(t: ExecutionContext) {
  const server = await startServer(t);
  const { slipway } = commandLineOf(server, server.token);
  return { server, slipway };
}

test('secrets: added, listed, set, deleted; what they are comes from standard input only', async (t) => {
  const { server, slipway } = await startCli(t);
  const input = 'p4ssword of the source\n';
  const words = ['secret', 'add', 'upstream', '--host', 'images.example.com', '--username', 'mirror'];
  const unheard = await slipway(words);
  t.is(unheard.code, 1);
  t.regex(unheard.stderr, /--stdin/);
  t.is((await slipway([...words, '--value', 'x'])).code, 1, 'never an argument');
  const added = await slipway([...words, '--stdin'], { input });
  t.deepEqual([added.code, added.stdout], [0, 'secret upstream is kept\n']);
  const { credentials } = server.deps.outgoing.to('https://images.example.com', { trusted: true, secret: 'upstream' });
  t.deepEqual(credentials, { kind: 'basic', user: 'mirror', password: input.trimEnd() });
  const listed = await slipway(['secret', 'list', '--csv']);
  t.regex(listed.stdout, /upstream,.*images\.example\.com,basic,mirror/);
  t.is((await slipway(['secret', 'set', 'upstream', '--username', 'other', '--no-value'])).code, 0);
  const shown = JSON.parse((await slipway(['secret', 'show', 'upstream', '--json'])).stdout);
  t.like(shown, { username: 'other', host: 'images.example.com' });
  t.is((await slipway(['secret', 'set', 'upstream', '--stdin'], { input: 'new' })).code, 0);
  t.is((await slipway(['secret', 'delete', 'upstream', '--yes'])).stdout, 'secret upstream is deleted\n');
  for await (const { name } of server.deps.catalog.list(secrets)) t.fail(name);
});

test('webhooks: made, tried, looked at, changed, deleted', async (t) => {
  const { server, slipway } = await startCli(t);
  const there = await receiver(t);
  const made = await slipway(['webhook', 'create', 'chat', '--to', there.url, '--events', 'groups.*,images.created']);
  t.is(made.code, 0, made.stderr);
  t.regex(made.stderr, /not shown again/);
  const pinged = await slipway(['webhook', 'ping', 'chat', '--json']);
  t.like(JSON.parse(pinged.stdout), { status: 204 });
  t.true(isSigned(there.received[0]!, made.stdout.trim()));
  t.regex((await slipway(['webhook', 'deliveries', 'chat'])).stdout, /204/);
  t.regex((await slipway(['webhook', 'list'])).stdout, /chat +admin/);
  t.is((await slipway(['webhook', 'update', 'chat', '--no-active'])).code, 0);
  t.like(JSON.parse((await slipway(['webhook', 'show', 'chat', '--json'])).stdout), { active: false });
  const renewed = await slipway(['webhook', 'new-key', 'chat']);
  t.not(renewed.stdout, made.stdout);
  t.is((await slipway(['webhook', 'delete', 'chat', '--yes'])).code, 0);
  t.is((await slipway(['webhook', 'show', 'chat'])).code, 1);
  const key = (await slipway(['webhook', 'callback-key'])).stdout.trim();
  await server.ask('POST', '/api/group/g', { body: { cb_url: there.url } });
  const [, callback] = await there.count(2);
  t.true(isSigned(callback!, key));
  const shown = await slipway(['task', 'callback', callback!.json.task_id, '--json']);
  t.is(JSON.parse(shown.stdout).url, there.url);
});

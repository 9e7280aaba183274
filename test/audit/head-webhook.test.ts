import { createPublicKey } from 'node:crypto';
import { json } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { isSignedBy } from '../../imgapi/audit-chain.js';
import { HeadWebhook, type ToldHeads } from '../../server/audit/head-webhook.js';
import { Metrics } from '../../server/metrics/instruments.js';
import { startDaemon } from '../support/daemon.js';
import { gate } from '../support/gate.js';
import { keptLog } from '../support/log.js';
import { type Reply, remote } from '../support/remote.js';
import { openServer } from '../support/server.js';

const told = (seq: number): ToldHeads => ({
  heads: [{ chain: 'changes', seq, hash: 'h', signature: 's' }],
  key: 'k',
});

/** Somebody who is told, and answers with these, one after the other. */
async function keeper(t: ExecutionContext, statuses: number[]) {
  const bodies: ToldHeads[] = [];
  const reply: Reply = async (request, response) => {
    bodies.push((await json(request)) as ToldHeads);
    response.writeHead(statuses.shift() ?? 204).end();
  };
  const { url, asked } = await remote(t, { 'POST /heads': reply });
  const { log, lines } = keptLog();
  const metrics = new Metrics();
  let time = 0;
  const webhook = new HeadWebhook({ url: `${url}/heads?secret=s3cret`, now: () => new Date(time), log, metrics });
  t.teardown(() => webhook.close());
  const later = (milliseconds: number) => {
    time += milliseconds;
  };
  return { webhook, bodies, asked, lines, metrics, later };
}

test('heads that have moved are told at most once a minute, the newest then', async (t) => {
  const { webhook, bodies, asked, later } = await keeper(t, []);
  webhook.offer('one', () => told(1));
  await webhook.settled();
  later(59_999);
  webhook.offer('two', () => told(2));
  await webhook.settled();
  t.deepEqual(bodies, [told(1)]);
  later(1);
  webhook.offer('three', () => told(3));
  await webhook.settled();
  later(60_000);
  webhook.offer('three', () => told(3));
  await webhook.settled();
  t.deepEqual(bodies, [told(1), told(3)], 'what has not moved is not told again');
  t.deepEqual(asked, ['POST /heads?secret=s3cret', 'POST /heads?secret=s3cret']);
});

test('what was not taken is told again, is counted, and stands in the log without the secret', async (t) => {
  const { webhook, bodies, lines, metrics, later } = await keeper(t, [500]);
  webhook.offer('one', () => told(1));
  await webhook.settled();
  t.is((await metrics.instruments.audit_webhook_failures_total.get()).values[0]?.value, 1);
  t.is(lines.length, 1);
  t.regex(lines[0]!.msg, /auditWebhook/);
  t.notRegex(JSON.stringify(lines), /s3cret|heads\?/);
  later(60_000);
  webhook.offer('one', () => told(1));
  await webhook.settled();
  t.deepEqual(bodies, [told(1), told(1)]);
  t.is((await metrics.instruments.audit_webhook_failures_total.get()).values[0]?.value, 1);
});

test('nor does it say the secret where nobody listens', async (t) => {
  const { log, lines } = keptLog();
  const gone = await openServer();
  const { port } = gone;
  await gone.close();
  const url = `http://127.0.0.1:${port}/hidden/heads?secret=s3cret`;
  const webhook = new HeadWebhook({ url, now: () => new Date(0), log, metrics: new Metrics() });
  webhook.offer('one', () => told(1));
  await webhook.settled();
  t.is(lines[0]?.host, `127.0.0.1:${port}`);
  t.notRegex(JSON.stringify(lines), /s3cret|hidden/);
});

test('the daemon tells its heads, signed, and stops though nobody answers', async (t) => {
  const heard = gate();
  let body: ToldHeads | undefined;
  const { url } = await remote(t, {
    'POST /heads': async (request) => {
      body = (await json(request)) as ToldHeads;
      heard.open();
    },
  });
  const daemon = await startDaemon(t, { config: { auditWebhook: `${url}/heads` } });
  await heard.opened;
  const { heads, key } = body!;
  t.is(createPublicKey(key).asymmetricKeyType, 'ed25519');
  t.true(heads.some(({ chain }) => chain === 'changes'));
  for (const head of heads) t.true(isSignedBy(key, head));
  t.is((await daemon.kill('SIGTERM')).code, 0);
});

import test from 'ava';
import { connectProxy } from '../support/connect-proxy.js';
import { launch, startDaemon } from '../support/daemon.js';
import { receiver } from '../support/receiver.js';
import { scratch } from '../support/scratch.js';

test('the daemon asks through the proxy that its environment names', async (t) => {
  const keeper = await receiver(t);
  const proxy = await connectProxy(t);
  const auditWebhook = `http://keeper.test:${new URL(keeper.url).port}/heads`;
  const daemon = await startDaemon(t, { config: { auditWebhook }, env: { http_proxy: proxy.url } });
  await keeper.count(1);
  t.is(proxy.asked[0], `POST ${auditWebhook}`);
  t.is((await daemon.kill('SIGTERM')).code, 0);
});

test('what the environment says of a proxy that is none is refused at start, without its password', async (t) => {
  const data = await scratch(t);
  const { exited } = launch(t, ['--port', '0', '--data', data], { https_proxy: 'socks5://me:s3cret@proxy.test' });
  const { code, stderr } = await exited;
  t.is(code, 1);
  t.regex(stderr, /https_proxy in the environment is not the URL of a proxy/);
  t.false(stderr.includes('s3cret'));
});

test('allowedAddresses lets callers who are no SuperAdmins have private networks asked', async (t) => {
  const there = await receiver(t);
  for (const [config, status] of [
    [{}, 400],
    [{ allowedAddresses: ['127.0.0.0/8'] }, 201],
  ] as const) {
    const daemon = await startDaemon(t, { config });
    const ask = (method: string, path: string, body: object, headers = {}) =>
      daemon.ask(method, path, { body, headers });
    t.is((await ask('POST', '/api/user/alice', {})).status, 201);
    const { json } = await ask('POST', '/api/token', { name: 't', user: 'alice' });
    const { token } = json.result as { token: string };
    const body = { url: there.url, events: ['*'] };
    const made = await ask('POST', '/api/webhook/hook', body, { authorization: `Bearer ${token}` });
    t.is(made.status, status);
    await daemon.kill('SIGTERM');
  }
});

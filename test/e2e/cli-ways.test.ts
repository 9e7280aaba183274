import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ADMIN } from '../../server/model/user.js';
import { cli } from '../support/cli.js';
import { startDaemon } from '../support/daemon.js';
import { sshKey } from '../support/ssh-keys.js';

/** In plain and over TLS, with credentials and, from a network that is trusted, without any. */
async function ways(t: ExecutionContext, settings: object) {
  const daemon = await startDaemon(t, { config: { tlsPort: 0, tlsSelfSigned: true, ...settings } });
  const [secure = ''] = /https:\/\/[^ ]+/.exec(await daemon.printed('Slipway is listening on')) ?? [];
  const env = { SLIPWAY_CA: join(daemon.data, 'tls', 'certificate.pem') };
  return { daemon, plain: { SLIPWAY_URL: daemon.url }, secure: { ...env, SLIPWAY_URL: secure } };
}

/** Up, down, and away. */
async function round(t: ExecutionContext, env: Record<string, string>, ...options: string[]): Promise<void> {
  const { run, home } = await cli(t, env);
  await writeFile(join(home, 'base.img'), 'the bytes');
  const manifest = ['--name', 'base', '--version', '1.0.0', '--os', 'other', '--type', 'other', '--public', ...options];
  const uploaded = await run(['upload', 'base.img', '--quiet', ...manifest]);
  t.like(uploaded, { code: 0, stderr: '' });
  const uuid = uploaded.stdout.trim();
  t.regex((await run(['list', '-H', '-o', 'uuid'])).stdout, new RegExp(uuid));
  await mkdir(join(home, 'down'));
  t.like(await run(['download', uuid, '-O', 'down', '--quiet']), { code: 0, stderr: '' });
  t.is(await readFile(join(home, 'down', 'base-1.0.0.img'), 'utf8'), 'the bytes');
  t.like(await run(['delete', uuid, '--yes']), { code: 0, stderr: '' });
  t.is((await run(['list', '-H', '--state', 'all'])).stdout, '');
}

test('up, down and away, signed and with a token, in plain and over TLS', async (t) => {
  const { daemon, plain, secure } = await ways(t, { authKeys: { alice: [sshKey('ed25519').line] } });
  const key = join(daemon.data, 'key-of-alice');
  await writeFile(key, sshKey('ed25519').pem, { mode: 0o600 });
  for (const server of [plain, secure]) {
    await round(t, { ...server, SLIPWAY_USER: 'alice', SLIPWAY_KEY: key });
    await round(t, { ...server, SLIPWAY_TOKEN: daemon.token });
  }
});

test('up, down and away, from a trusted network and unsigned, in plain and over TLS', async (t) => {
  const { plain, secure } = await ways(t, { trustedNetworks: ['127.0.0.0/8'] });
  for (const server of [plain, secure]) await round(t, server, '--owner', ADMIN.uuid);
});

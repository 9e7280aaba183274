import { randomBytes } from 'node:crypto';
import test from 'ava';
import { cli, sharedDaemon } from '../support/cli.js';
import { startRegistry, testImage } from '../support/registry.js';

const daemon = sharedDaemon(test);
const asAdmin = () => ({ SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: daemon().token });

test('import docker:REPO:TAG waits for the image, and says which it is', async (t) => {
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage([randomBytes(200_000), 'top']));
  const { run } = await cli(t, asAdmin());
  const { code, stdout, stderr } = await run(['import', `docker:${registry.host}/app:1`, '--dc', 'main']);
  t.is(code, 0, stderr);
  t.regex(stdout, /^[0-9a-f-]{36}\n$/);
  const { json } = await daemon().ask('GET', `/images/${stdout.trim()}`, { as: 'admin' });
  t.like(json, { state: 'active', type: 'docker', public: false, tags: { 'docker:tag:1': true } });
});

test('what a registry has not, or nobody has configured, is said', async (t) => {
  const registry = await startRegistry(t);
  const { run } = await cli(t, asAdmin());
  const missing = await run(['import', `docker:${registry.host}/app:2`]);
  t.not(missing.code, 0);
  t.regex(missing.stderr, /\(app\): 2 is not there, or not for us to see/);
  const unknown = await run(['import', 'lxd:nowhere:alpine']);
  t.not(unknown.code, 0);
  t.regex(unknown.stderr, /there is no registry "nowhere": configured are images, ubuntu/);
  const named = await run(['import', 'docker:busybox:1', '--name', 'x']);
  t.not(named.code, 0);
  t.regex(named.stderr, /"name" is not said of images of registries/);
});

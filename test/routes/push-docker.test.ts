import test from 'ava';
import { linesOf, startRegistry, type TestImage, type TestRegistry, testImage } from '../support/registry.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const registries = { insecure: [], lxd: {}, patience: 60_000, pauses: [1, 1, 1, 1] };
const alice = Buffer.from(JSON.stringify({ username: 'alice', password: 'sesame' })).toString('base64');
const headers = { 'x-registry-auth': alice, 'x-request-id': 'the push' };

async function pulled(server: TestServer, registry: TestRegistry, image: TestImage, repo = 'app'): Promise<string> {
  registry.put(repo, 'latest', image);
  const query = `repo=${registry.host}/${repo}&tag=latest`;
  const { bytes } = await server.ask('POST', `/images?action=import-docker-image&${query}`, { headers });
  const uuid = linesOf(bytes).find(({ type }) => type === 'create-docker-image')?.image_uuid;
  if (typeof uuid !== 'string') throw new Error(`not pulled: ${bytes}`);
  return uuid;
}

const bodyOf = ({ text, manifest, config }: TestImage) => ({
  manifest_str: text,
  image: config,
  config_digest: manifest.config.digest,
});

async function push(server: TestServer, uuid: string, repoAndTag: string, body: object) {
  const answer = await server.ask('POST', `/images/${uuid}/push?repoAndTag=${repoAndTag}`, { body, headers });
  const lines = answer.status === 200 ? linesOf(answer.bytes) : [];
  const statuses = lines.map(({ payload }) => String(Object(payload).status));
  return { ...answer, lines, statuses, error: lines.at(-1)?.error };
}

test('what is missing is sent to another registry, from which it can be pulled again', async (t) => {
  for (const login of [undefined, 'basic', 'token'] as const) {
    const from = await startRegistry(t);
    const to = await startRegistry(t, { ...(login && { login }), users: { alice: 'sesame' } });
    const server = await startServer(t, { registries });
    const image = testImage(['base', 'top']);
    const uuid = await pulled(server, from, image);

    const first = await push(server, uuid, `${to.host}/mine/app:2.0`, bodyOf(image));
    t.is(first.error, undefined, JSON.stringify(first.error));
    t.is(first.headers['content-type'], 'application/json');
    t.true(first.lines.every(({ id }) => id === 'the push'));
    t.is(first.statuses.filter((status) => status === 'Pushed').length, 2);
    t.is(first.statuses.at(-1), `2.0: digest: ${image.digest} size: ${image.text.length}`);
    t.is(to.manifests.get('mine/app:2.0')?.text, image.text);
    t.deepEqual(to.blobs.size, 3);

    const again = await push(server, uuid, `${to.host}/mine/app:2.1`, bodyOf(image));
    t.is(again.statuses.filter((status) => status === 'Layer already exists').length, 2);
    t.is(to.manifests.get('mine/app:2.1')?.text, image.text);

    const other = await startServer(t, { registries });
    const query = `repo=${to.host}/mine/app&tag=2.0`;
    const { bytes } = await other.ask('POST', `/images?action=import-docker-image&${query}`, { headers });
    t.is(linesOf(bytes).find(({ type }) => type === 'create-docker-image')?.image_uuid, uuid);
  }
});

test('layers that another repository of the registry has are taken from there', async (t) => {
  const missing = new Set<string>();
  const registry = await startRegistry(t, {
    meddle: ({ method, url = '' }, response) => {
      // Each repository knows its own blobs only.
      if (method !== 'HEAD' || !url.startsWith('/v2/mine/') || missing.has(url)) return false;
      missing.add(url);
      response.writeHead(404).end();
      return true;
    },
  });
  const server = await startServer(t, { registries });
  const image = testImage(['base', 'top']);
  const uuid = await pulled(server, registry, image, 'theirs/app');
  const { statuses } = await push(server, uuid, `${registry.host}/mine/app:1`, bodyOf(image));
  t.is(statuses.filter((status) => status === 'Mounted from theirs/app').length, 2);
  t.false(registry.asked.some((asked) => asked.startsWith('PATCH') && !asked.includes('mine')));
});

const wrong = table<'with' | 'told'>(`
  with                                    told
  {"repoAndTag":""}                       422 ValidationFailed repoAndTag:MissingParameter
  {"repoAndTag":"a.example/b/:x"}         422 ValidationFailed repoAndTag:Invalid
  {"manifest_str":null}                   422 ValidationFailed manifest_str:MissingParameter
  {"manifest_str":"{"}                    422 ValidationFailed manifest_str:Invalid
  {"image":null}                          422 ValidationFailed image:MissingParameter
  {"image":{"os":"linux"}}                422 ValidationFailed image:Invalid
  {"config_digest":"sha256:x"}            422 ValidationFailed config_digest:Invalid
`);

test('what does not belong together is not pushed', async (t) => {
  const registry = await startRegistry(t);
  const server = await startServer(t, { registries });
  const image = testImage(['base', 'top']);
  const uuid = await pulled(server, registry, image);
  registry.asked.splice(0);
  for (const { with: given, told: expected } of wrong) {
    const { repoAndTag = `${registry.host}/b:1`, ...changed } = JSON.parse(given);
    t.is(told(await push(server, uuid, repoAndTag, { ...bodyOf(image), ...changed })), expected, given);
  }
  const other = testImage(['base', 'other top']);
  const mixed = await push(server, uuid, `${registry.host}/b:1`, bodyOf(other));
  t.is(told(mixed), '422 ValidationFailed manifest_str:Invalid');
  t.deepEqual(registry.asked, []);
});

test('a registry that fails is asked again; one that refuses leaves no tag', async (t) => {
  let failed = 0;
  const registry = await startRegistry(t, {
    meddle: ({ method }, response) => {
      if (method !== 'PATCH' || failed === 2) return false;
      failed += 1;
      response.writeHead(503).end();
      return true;
    },
  });
  const server = await startServer(t, { registries });
  const image = testImage(['base']);
  const source = await startRegistry(t);
  const uuid = await pulled(server, source, image);
  t.is((await push(server, uuid, `${registry.host}/b:1`, bodyOf(image))).error, undefined);
  t.is(failed, 2);

  const closed = await startRegistry(t, { login: 'basic', users: { bob: 'x' } });
  const { error } = await push(server, uuid, `${closed.host}/b:1`, bodyOf(image));
  t.like(error as object, { code: 'RemoteSourceError' });
  t.false(JSON.stringify(error).includes('sesame'));
  t.is(closed.manifests.size, 0);
});

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import ava, { type ExecutionContext } from 'ava';
import { isMet } from '../support/needs.js';
import { linesOf, startRegistry, testImage } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const needs = 'docker-registry, to push to';
const test = isMet[needs] ? ava : ava.skip;

const registries = { insecure: [], lxd: {}, patience: 60_000, pauses: [] };
/** Of `sesame`, in bcrypt. */
const HASH = '$2b$04$r17dHb4KdQGuoWjFHivRFOm3oh8P57hscRtHqKI1ACvIKSdmwFwEy';

/** Debian's, on a free port; its host. */
async function startDebians(t: ExecutionContext, isOpen: boolean): Promise<string> {
  const directory = await scratch(t);
  const users = join(directory, 'users');
  await writeFile(users, `alice:${HASH}\n`);
  const auth = { htpasswd: { realm: 'test', path: users } };
  const config = {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: directory } },
    http: { addr: '127.0.0.1:0' },
    ...(!isOpen && { auth }),
  };
  const path = join(directory, 'config.yml');
  await writeFile(path, JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const said: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    said.push(line);
    const [, host] = /listening on (127\.0\.0\.1:\d+)/.exec(line) ?? [];
    if (host === undefined) continue;
    child.stderr.resume();
    return host;
  }
  throw new Error(`docker-registry did not start: ${said.join('\n')}`);
}

for (const isOpen of [true, false]) {
  test(`pushed to Debian's docker-registry, ${isOpen ? 'open' : 'with a login'}, and pulled again (needs ${needs})`, async (t) => {
    const host = await startDebians(t, isOpen);
    const login = Buffer.from(JSON.stringify({ username: 'alice', password: 'sesame' })).toString('base64');
    const headers: Record<string, string> = isOpen ? {} : { 'x-registry-auth': login };
    const image = testImage([randomBytes(3_000_000), 'middle', randomBytes(100_000)]);
    const source = await startRegistry(t);
    source.put('app', 'latest', image);
    const pull = (repo: string) => `/images?action=import-docker-image&repo=${repo}&tag=latest`;
    const uuidIn = (bytes: Buffer) => linesOf(bytes).find(({ type }) => type === 'create-docker-image')?.image_uuid;

    const one = await startServer(t, { registries });
    const uuid = uuidIn((await one.ask('POST', pull(`${source.host}/app`))).bytes);
    const body = { manifest_str: image.text, image: image.config, config_digest: image.manifest.config.digest };
    for (const repo of ['mine/app', 'mine/other']) {
      const target = `${host}/${repo}:latest`;
      const pushed = linesOf(
        (await one.ask('POST', `/images/${uuid}/push?repoAndTag=${target}`, { body, headers })).bytes,
      );
      t.is(pushed.at(-1)?.error, undefined, JSON.stringify(pushed.at(-1)));
    }
    const other = await startServer(t, { registries });
    const { bytes } = await other.ask('POST', pull(`${host}/mine/app`), { headers });
    t.is(uuidIn(bytes), uuid, bytes.toString().slice(-500));
    if (isOpen) return;
    const refused = linesOf((await other.ask('POST', pull(`${host}/mine/other`))).bytes).at(-1);
    t.is(Object(refused?.error).code, 'RemoteSourceError');
  });
}

// The daemon with demo data, built and started again whenever a source is saved.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const data = join(root, 'dev-data');
const port = process.env.SLIPWAY_PORT ?? '8080';
const url = `http://127.0.0.1:${port}`;

let daemon;
let waiting;

for (const room of ['imgapi', 'storage', 'server', 'cli']) {
  if (existsSync(join(root, room))) watch(join(root, room), { recursive: true }, restartSoon);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
start();

function stop() {
  clearTimeout(waiting);
  daemon.removeAllListeners('exit');
  if (daemon.exitCode !== null || daemon.signalCode !== null) process.exit();
  daemon.once('exit', () => process.exit()).kill('SIGTERM');
}

function restartSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const build = spawnSync(process.execPath, [join(root, 'etc', 'prepare.mjs')], { stdio: 'inherit' });
    if (build.status !== 0) return;
    daemon.removeAllListeners('exit');
    if (daemon.exitCode === null && daemon.signalCode === null) daemon.once('exit', start).kill('SIGTERM');
    else start();
  }, 100);
}

function start() {
  const main = join(root, 'dist', 'server', 'main.js');
  daemon = spawn(process.execPath, [main, '--data', data, '--port', port], { stdio: ['inherit', 'pipe', 'inherit'] });
  daemon.stdout.on('data', (text) => {
    process.stdout.write(text);
    if (String(text).includes('listening')) seed().catch((error) => console.error('no demo data:', error));
  });
}

async function seed() {
  const images = await (await fetch(`${url}/images?state=all`)).json();
  if (images.length > 0) return;
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const ask = (method, path, body, type = 'application/json') =>
    fetch(`${url}${path}`, { method, body, headers: { authorization: `Bearer ${token}`, 'content-type': type } });
  for (const [name, os, type] of [
    ['base-64', 'smartos', 'zone-dataset'],
    ['debian-12', 'linux', 'lx-dataset'],
    ['alpine', 'linux', 'lx-dataset'],
  ]) {
    const manifest = { name, version: '1.0.0', os, type, public: true, description: `${name}, a demo` };
    const { uuid } = await (await ask('POST', '/images', JSON.stringify(manifest))).json();
    await ask('PUT', `/images/${uuid}/file?compression=none`, `the bytes of ${name}\n`, 'application/octet-stream');
    await ask('POST', `/images/${uuid}?action=activate`);
  }
  console.log('three demo images were made');
}

// Pictures of the console for the documentation: a daemon with the data of a site that does not exist, and Chromium.
// Takes the folder of a build where that is not dist.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { fill } from './screenshots/fill.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = resolve(root, process.argv[2] ?? 'dist');
const to = join(root, 'docs', 'screenshots');
const CHROMIUM = '/usr/bin/chromium';

const wide = { viewport: { width: 1120, height: 700 } };
const phone = { viewport: { width: 390, height: 844 } };

/** Of each picture: where it is, what has to be there, and how it is looked at. Nodes come first, while they have not been asked. */
const pictures = [
  { name: 'nodes', path: '/nodes', waits: 'fra-hv1', look: wide },
  {
    name: 'overview',
    path: '/overview?stretch=month',
    waits: 'if it goes on',
    look: { viewport: { width: 1120, height: 1060 } },
  },
  {
    name: 'overview-dark',
    path: '/overview?stretch=month',
    waits: 'if it goes on',
    look: { ...wide, colorScheme: 'dark' },
  },
  { name: 'images', path: '/', waits: 'postgresql-17', look: wide },
  { name: 'images-phone', path: '/', waits: 'ci-runner', look: phone },
  { name: 'image', path: '/image/nginx-edge', waits: 'nginx-edge', look: wide },
  { name: 'bring-in', path: '/bring', waits: 'Bring in', look: wide },
  { name: 'audit', path: '/audit?kind=images', waits: 'DeprecateImage', look: wide },
];

if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM}, to take pictures with`);
const data = await mkdtemp(join(tmpdir(), 'slipway-screenshots-'));
let daemon;
let browser;
try {
  await fill((path) => import(pathToFileURL(join(build, path)).href), data, Date.now());
  const main = join(build, 'server', 'main.js');
  daemon = spawn(process.execPath, [main, '--data', data, '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = await listening(daemon);
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  await makeHistory(url, token);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  await mkdir(to, { recursive: true });
  const storageState = await signIn(url, token);
  for (const picture of pictures) await take(url, storageState, picture);
} finally {
  await browser?.close();
  if (daemon && daemon.exitCode === null) {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
  await rm(data, { recursive: true, force: true });
}

async function listening(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /listening on .*?(http:[^ ]*:\d+)/.exec(line) ?? [];
    if (!url) continue;
    child.stdout.resume();
    return url;
  }
  throw new Error('the daemon ended before it listened');
}

/** Some things that somebody has done, for the audit. */
async function makeHistory(url, token) {
  const done = [
    ['POST', '/user/anna', { password: 'correct horse battery staple', email: 'anna@example.com' }],
    ['PUT', '/image/rocky-9', { label: 'orange' }],
    ['PUT', '/image/base-64-lts-23/deprecate', { reason: 'out of support', replacement: 'base-64-lts' }],
    ['PUT', '/image/ci-runner', { desc: 'runs the jobs of the build server' }],
    ['POST', '/webhook/chat', { url: 'https://chat.example.com/hooks/images', events: ['images.created'] }],
  ];
  for (const [method, path, body] of done) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api${path}`, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) console.error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}

/** Once for all pictures. */
async function signIn(url, token) {
  const context = await browser.newContext();
  await context.request.post(`${url}/api/session`, { data: { token } });
  const state = await context.storageState();
  await context.close();
  return state;
}

async function take(url, storageState, { name, path, waits, look }) {
  const context = await browser.newContext({
    ...look,
    storageState,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(`${url}/console${path}`);
  await page.getByText(waits).first().waitFor();
  await page.locator('body:not(:has-text("loading …"))').waitFor();
  const file = join(to, `${name}.png`);
  await page.screenshot({ path: file });
  await context.close();
  console.log(`${name}: ${Math.round((await stat(file)).size / 1000)} KB`);
}

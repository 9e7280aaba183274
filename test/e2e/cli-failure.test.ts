import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, open, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cli, sharedDaemon } from '../support/cli.js';
import { startDaemon } from '../support/daemon.js';
import { gate } from '../support/gate.js';

const daemon = sharedDaemon(test);

/** Somebody else's server, which answers as it likes. */
async function serverThat(t: ExecutionContext, answers: RequestListener): Promise<string> {
  const server = createServer(answers).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json =
  (status: number, body: unknown): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

// --- Exit codes

const answers: [what: string, code: number, answer: RequestListener, stderr: RegExp][] = [
  [
    '500 as a server of ours says it',
    2,
    json(500, { code: 'InternalError', message: 'the server failed' }),
    /^slipway: the server failed\nhint: the server's log tells why\n$/,
  ],
  [
    '503',
    2,
    json(503, { code: 'StorageIsDown', message: 'the disk is full' }),
    /^slipway: the disk is full\nhint: the server's log tells why; try again later\n$/,
  ],
  ['502 of a proxy', 2, (_, response) => response.writeHead(502).end('<html>'), /answered 502\nhint: a proxy answers/],
  ['401', 4, json(401, { code: 'UnauthorizedError', message: 'who are you' }), /^slipway: who are you\nhint: log in/],
  ['401 of a proxy', 4, (_, response) => response.writeHead(401).end(), /answered 401/],
  [
    '403',
    1,
    json(403, { code: 'NotPermitted', message: 'only to read' }),
    /^slipway: only to read\nhint: "slipway whoami" shows what you may do/,
  ],
  [
    '421',
    1,
    json(421, { code: 'MisdirectedRequest', message: 'not me' }),
    /^slipway: not me\nhint: add the host.* hostN/,
  ],
  ['429', 1, json(429, { code: 'TooManyRequests', message: 'too often' }), /^slipway: too often\nhint: wait a little/],
  [
    'fields that are wrong',
    1,
    json(422, {
      code: 'ValidationFailed',
      message: 'invalid image data: os, name',
      errors: [
        { field: 'os', code: 'Invalid', message: 'must be one of smartos' },
        { field: 'name', code: 'MissingParameter' },
      ],
    }),
    /^slipway: invalid image data: os, name\n {2}os: must be one of smartos\n {2}name: is missing\nhint: correct/,
  ],
  ['404 of another server', 1, (_, response) => response.writeHead(404).end('nothing'), /answered 404/],
  ['a page for people', 2, (_, response) => response.end('<html>'), /sent no JSON\nhint: is this the URL of an image/],
  ['what is no image server', 2, json(200, { ping: 'pong' }), /is no image server/],
  ['a redirect', 2, (_, response) => response.writeHead(302, { location: '/' }).end(), /answered 302\nhint: name the/],
  [
    'a redirect elsewhere, of whose path nothing is told',
    2,
    (_, response) => response.writeHead(301, { location: 'https://x.example/secret' }).end(),
    /answered 301 and leads to https:\/\/x\.example\nhint: name the server/,
  ],
  [
    'a field that the message is about',
    1,
    json(422, {
      code: 'InvalidParameter',
      message: 'not\nthis',
      errors: [{ field: 'acl', code: 'Invalid', message: 'not\nthis' }],
    }),
    /^slipway: not\\u000athis\n$/,
  ],
  ['a connection that is cut', 3, (_, response) => response.destroy(), /can not be reached: the connection was cut/],
  [
    'half an answer',
    3,
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{', () => response.destroy());
    },
    /^slipway: 127.0.0.1:\d+ /,
  ],
];

for (const [what, code, answer, stderr] of answers) {
  test(`exit code ${code} for ${what}`, async (t) => {
    const { run } = await cli(t, { SLIPWAY_URL: await serverThat(t, answer) });
    const ran = await run(['ping']);
    t.deepEqual({ code: ran.code, stdout: ran.stdout }, { code, stdout: '' });
    t.regex(ran.stderr, stderr);
    t.notRegex(ran.stderr, /\n +at /, 'a stack trace');
  });
}

test('exit code 3 without a server, with what to do', async (t) => {
  const { run } = await cli(t);
  // a port that nobody is given by chance
  t.deepEqual(await run(['list', '--url', 'http://127.0.0.1:1']), {
    code: 3,
    signal: null,
    stdout: '',
    stderr: `slipway: 127.0.0.1:1 can not be reached: nobody listens there\nhint: is the daemon running? name another server with --url or "slipway login"\n`,
  });
});

test('exit code 3 where https is asked of a server that speaks http', async (t) => {
  const { run } = await cli(t);
  const { code, stderr } = await run(['ping', '--url', daemon().url.replace('http:', 'https:')]);
  t.is(code, 3);
  t.regex(stderr, /speaks no TLS\nhint: is it http where the URL says https\?/);
});

test('exit code 4 with a wrong token', async (t) => {
  const { run } = await cli(t, { SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: 'guessed' });
  t.like(await run(['list']), { code: 4, stdout: '' });
});

test('--debug shows where an error comes from, and no token', async (t) => {
  const { run } = await cli(t, { SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: 'guessed-by-somebody' });
  const { code, stderr } = await run(['list', '--debug']);
  t.is(code, 4);
  t.regex(stderr, /\n +at .*\n/);
  t.regex(stderr, /\ncaused by: AnsweredBadly: .* answered 401 UnauthorizedError/);
  t.false(stderr.includes('guessed-by-somebody'));
});

// --- Interrupted

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`exit code 5 after ${signal}, also while a server is silent`, async (t) => {
    const asked = gate();
    const url = await serverThat(t, () => asked.open());
    const { child, exited } = (await cli(t, { SLIPWAY_URL: url })).start(['list']);
    await asked.opened;
    child.kill(signal);
    t.deepEqual(await exited, { code: 5, signal: null, stdout: '', stderr: `slipway: interrupted by ${signal}\n` });
  });
}

// --- Whoever reads what is printed

const longList = json(
  200,
  Array.from({ length: 900 }, (_, at) => ({ uuid: `${at}`, name: 'x'.repeat(1000) })),
);

test('a reader that has enough ends the command quietly', async (t) => {
  const asked = gate();
  const left = gate();
  const url = await serverThat(t, async (request, response) => {
    asked.open();
    await left.opened;
    longList(request, response);
  });
  const { child, exited } = (await cli(t, { SLIPWAY_URL: url })).start(['list']);
  await asked.opened;
  child.stdout?.once('close', left.open).destroy();
  t.like(await exited, { code: 0, signal: null, stderr: '' });
});

const withFullDevice = existsSync('/dev/full') ? test : test.skip;

withFullDevice('a full disk below the output, which needs /dev/full, is told of', async (t) => {
  const full = await open('/dev/full', 'w');
  t.teardown(() => full.close());
  const { start } = await cli(t, { SLIPWAY_URL: daemon().url });
  for (const args of [['list'], ['ping', '--json'], ['--help'], ['completion', 'bash']]) {
    const { code, stderr } = await start(args, { stdout: full.fd }).exited;
    t.deepEqual(
      { code, stderr },
      { code: 1, stderr: 'slipway: standard output: no space left on the device\n' },
      args.join(' '),
    );
  }
});

// --- What others send

test('nothing that a server sends steers the terminal', async (t) => {
  const evil = '\x1b]0;owned\x07\x9b2J\u202e';
  const image = { uuid: evil, name: evil, version: evil, [evil]: evil };
  const url = await serverThat(t, (request, response) => {
    if (request.url?.startsWith('/ping'))
      return json(200, { imgapi: true, version: evil, user: evil })(request, response);
    if (request.url?.includes('name=refused')) {
      return json(422, { code: 'InvalidParameter', message: evil, errors: [{ field: evil, code: evil }] })(
        request,
        response,
      );
    }
    return json(200, [image])(request, response);
  });
  const { run } = await cli(t, { SLIPWAY_URL: url });
  for (const args of [
    ['list'],
    ['list', '-j'],
    ['list', '-o', 'name,tags.x'],
    ['show', '00000000'],
    ['ping'],
    ['list', '--name', 'refused'],
    ['completion', '--images'],
    ['show', 'refused', '--debug'],
  ]) {
    const { stdout, stderr } = await run(args);
    t.true(stdout.length + stderr.length > 0);
    t.notRegex(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, args.join(' '));
  }
});

test('nothing is coloured that is not read by a terminal', async (t) => {
  const { run } = await cli(t, { SLIPWAY_URL: daemon().url, FORCE_COLOR: '1' });
  const { stdout } = await run(['list']);
  const { stderr } = await run(['show', 'nobody']);
  t.false((stdout + stderr).includes('\x1b'));
});

// --- TLS

/** A daemon with a certificate that it has signed itself. */
async function tlsDaemon(t: ExecutionContext): Promise<{ url: string; certificate: string }> {
  const { printed, data } = await startDaemon(t, { config: { tlsPort: 0, tlsSelfSigned: true } });
  const [url = ''] = /https:\/\/[^ ]+/.exec(await printed('Slipway is listening on')) ?? [];
  return { url, certificate: join(data, 'tls', 'certificate.pem') };
}

test('a certificate that nobody vouches for is refused, unless it is given or not to be checked', async (t) => {
  const { url, certificate } = await tlsDaemon(t);
  const { run, home } = await cli(t);
  const refused = await run(['ping', '--url', url]);
  t.is(refused.code, 3);
  t.regex(refused.stderr, /its certificate is signed by itself\nhint: give the certificate with --ca FILE\n$/);

  await copyFile(certificate, join(home, 'ca.pem'));
  t.like(await run(['ping', '--url', url, '--ca', 'ca.pem']), { code: 0, stderr: '' });
  t.like(await run(['ping', '--url', url], { env: { SLIPWAY_CA: 'ca.pem' } }), { code: 0, stderr: '' });
  t.like(await run(['login', 'tls', '--url', url, '--anonymous', '--ca', 'ca.pem']), { code: 0, stderr: '' });
  t.like(await run(['ping'], { cwd: '/' }), { code: 0, stderr: '' }, 'the whole path is remembered');

  const warned = await run(['ping', '--url', url, '--insecure']);
  t.is(warned.code, 0);
  t.regex(warned.stderr, /^slipway: warning: the certificate of 127.0.0.1:\d+ is not checked\n$/);
  await run(['login', 'tls', '--url', url, '--anonymous', '--insecure']);
  t.regex((await run(['ping'])).stderr, /warning: the certificate .* is not checked/, 'each time');
});

test('a certificate that can not be read is told of', async (t) => {
  const { run, home } = await cli(t, { SLIPWAY_URL: 'https://127.0.0.1:1' });
  t.like(await run(['ping', '--ca', 'nowhere']), { code: 1, stderr: 'slipway: nowhere: does not exist\n' });
  await writeFile(join(home, 'ca.pem'), 'nonsense');
  const { code, stderr } = await run(['ping', '--ca', 'ca.pem']);
  t.is(code, 1);
  t.is(stderr, 'slipway: ca.pem holds no certificate\nhint: it has to be one in PEM form\n');
});

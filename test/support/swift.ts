import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import type { isMet } from './needs.js';
import { makeBucket, type S3Account } from './s3-account.js';

const run = promisify(execFile);

/** What a test has in its title where it is skipped. */
export const needsSwift = 'swift, to keep bytes' satisfies keyof typeof isMet;

/** OpenStack Swift with s3api on free ports of loopback, for all tests of a process; each has a bucket. It dies with the process. */
export interface Swift extends S3Account {
  newBucket(): Promise<string>;
}

let shared: Promise<Swift> | undefined;

export function startSwift(): Promise<Swift> {
  shared ??= start();
  return shared;
}

const SERVERS = ['account', 'container', 'object'] as const;

async function start(): Promise<Swift> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-swift-'));
  const daemons: ChildProcess[] = [];
  process.once('exit', () => {
    for (const daemon of daemons) daemon.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  await mkdir(join(directory, 'devices', 'd1'), { recursive: true });
  await writeFile(
    join(directory, 'swift.conf'),
    '[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n',
  );
  const ports = new Map<string, number>();
  for (const name of [...SERVERS, 'proxy']) ports.set(name, await freePort());
  await writeFile(join(directory, 'rings.py'), RINGS);
  await run(PYTHON, [join(directory, 'rings.py'), directory, ...SERVERS.map((name) => `${name}:${ports.get(name)}`)]);
  for (const name of SERVERS) {
    await writeFile(join(directory, `${name}.conf`), serverConfiguration(directory, name, ports.get(name)!));
  }
  await writeFile(join(directory, 'proxy.conf'), proxyConfiguration(directory, ports.get('proxy')!));
  await writeFile(join(directory, 'serve.py'), SERVE);
  for (const name of [...SERVERS, 'proxy']) {
    const command = ['--pdeathsig', 'KILL', PYTHON, join(directory, 'serve.py'), directory, name];
    const daemon = spawn('setpriv', command, { cwd: directory, stdio: 'ignore' });
    daemon.unref();
    daemons.push(daemon);
  }
  const endpoint = `http://127.0.0.1:${ports.get('proxy')}`;
  await untilHealthy(`${endpoint}/healthcheck`, directory);
  const account: S3Account = { endpoint, accessKey: 'test:tester', secretKey: 'testing', region: 'us-east-1' };
  await untilItKeeps(account);
  return { ...account, newBucket: () => makeBucket(account) };
}

/** Debian's own, which has the packages. */
const PYTHON = '/usr/bin/python3';

const RINGS = `import sys
from swift.common.ring import RingBuilder
directory = sys.argv[1]
for given in sys.argv[2:]:
    name, port = given.split(':')
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': int(port), 'device': 'd1', 'weight': 1})
    builder.rebalance()
    builder.get_ring().save(directory + '/' + name + '.ring.gz')
`;

/** Where Swift looks for its own configuration is written into it. */
const SERVE = `import sys
import swift.common.utils as utils
directory, name = sys.argv[1:]
utils.SWIFT_CONF_FILE = directory + '/swift.conf'
from swift.common.wsgi import run_wsgi
import eventlet
eventlet.hubs.use_hub()
run_wsgi(directory + '/' + name + '.conf', name + '-server')
`;

const common = (directory: string, port: number) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${process.env.USER ?? 'root'}
swift_dir = ${directory}
devices = ${directory}/devices
mount_check = false
log_level = ERROR
`;

const serverConfiguration = (directory: string, name: string, port: number) => `${common(directory, port)}
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`;

const proxyConfiguration = (directory: string, port: number) => `${common(directory, port)}
[pipeline:main]
pipeline = healthcheck cache s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin .reseller_admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`;

/** Milliseconds for four programs in Python to start, on a machine that tests keep busy. */
const PATIENCE = 120_000;

async function untilHealthy(url: string, directory: string): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (Date.now() > end) throw new Error(`the Swift in ${directory} does not answer`);
    await pause(50);
  }
}

/** The proxy answers before those behind it do. */
async function untilItKeeps(account: S3Account): Promise<void> {
  for (const end = Date.now() + PATIENCE; ; ) {
    try {
      await makeBucket(account);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await pause(100);
    }
  }
}

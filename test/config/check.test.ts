import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import sshpk from 'sshpk';
import { readConfig } from '../../server/config/read-config.js';
import { report } from '../../server/config/report.js';
import { scratch } from '../support/scratch.js';
import { sshKey } from '../support/ssh-keys.js';
import { file, problemsIn, problemsOf, readFrom } from './settings.js';

// --- Between settings

const bad: [config: object, problems: RegExp[]][] = [
  [{ port: 'off' }, [/^nothing would listen: .*tlsSelfSigned$/]],
  [{ port: 'off', tlsPort: 'off', tlsSelfSigned: true }, [/^nothing would listen/]],
  [{ tlsSelfSigned: true, port: 8443 }, [/^port and tlsPort are both 8443/]],
  [{ metricsPort: 8080 }, [/^port and metricsPort are both 8080/]],
  [{ metricsPort: 8080, address: '0.0.0.0' }, [/^port and metricsPort/]],
  [{ metricsPort: 8080, address: '::' }, [/^port and metricsPort/]],
  [{ metricsPort: 8080, address: '10.0.0.1', metricsAddress: '0.0.0.0' }, [/^port and metricsPort/]],
  [{ metricsPort: 8080, address: 'localhost' }, [/^port and metricsPort/]],
  [{ metricsPort: 8443, tlsSelfSigned: true }, [/^tlsPort and metricsPort are both 8443/]],
  [
    { port: 1, tlsPort: 1, metricsPort: 1, tlsSelfSigned: true },
    [/^port and tlsPort/, /^port and metricsPort/, /^tlsPort and metricsPort/],
  ],
  [{ trustedNetworks: ['10.0.0.0/8'], trustedProxies: ['10.1.2.3'] }, [/^trustedNetworks: 10.0.0.0\/8 .* 10.1.2.3,/]],
  [{ trustedNetworks: ['10.1.2.3'], trustedProxies: ['10.1.2.3'] }, [/holds the trusted proxy 10.1.2.3/]],
  [{ trustedNetworks: ['10.1.2.3'], trustedProxies: ['10.1.0.0/16'] }, [/holds the trusted proxy 10.1.0.0\/16/]],
  [{ trustedNetworks: ['fd00::/8'], trustedProxies: ['fd00::1'] }, [/fd00::\/8 holds the trusted proxy fd00::1/]],
  [{ trustedNetworks: ['10.0.0.0/8'], trustedProxies: ['::ffff:10.0.0.1'] }, [/holds the trusted proxy ::ffff/]],
  [
    { trustedNetworks: ['127.0.0.1', '10.0.0.0/8'], trustedProxies: ['127.0.0.1', '10.0.0.1'] },
    [/127.0.0.1/, /10.0.0.1/],
  ],
  [{ database: 'postgres://h/d' }, [/need one store for the bytes/, /need the same secretsKey: .*--new-secrets-key/]],
  [{ database: 'postgres://h/d', store: 's3://bucket' }, [/need the same secretsKey/]],
  [{ database: 'postgres://h/d', secretsKey: 'env:KEY' }, [/set store to s3:/]],
  [{ openidIssuer: 'https://l.example' }, [/^openidIssuer: .*set openidClient/, /sent back to publicUrl: set it/]],
  [{ openidIssuer: 'https://l.example', openidClient: 's' }, [/sent back to publicUrl/]],
];

const good: object[] = [
  { port: 'off', tlsSelfSigned: true },
  { port: 8443 },
  { port: 0, tlsPort: 0, metricsPort: 0, tlsSelfSigned: true },
  { metricsPort: 8080, metricsAddress: '127.0.0.2' },
  { metricsPort: 8080, metricsAddress: '::1', address: '0.0.0.0' },
  { trustedNetworks: ['10.0.0.0/8'], trustedProxies: ['11.0.0.1', '127.0.0.1', 'fd00::1'] },
  { store: 's3://bucket', storeClass: 'COLD', storeCache: 1 << 20 },
  { database: 'postgres://h/d', store: 's3://bucket', secretsKey: 'env:KEY', memberName: 'east-1', lease: 2 },
  { openidIssuer: 'https://l.example', openidClient: 's', publicUrl: 'https://i.example', openidCreates: true },
  { openidIssuer: 'http://127.0.0.1:4000', openidClient: 's', publicUrl: 'http://localhost:8080' },
];

test('settings that do not go together are refused', async (t) => {
  for (const [config, expected] of bad) {
    const problems = await problemsIn(t, config);
    t.is(problems.length, expected.length, `${JSON.stringify(config)} → ${problems.join('\n')}`);
    for (const [at, pattern] of expected.entries()) t.regex(problems[at] ?? '', pattern);
  }
});

test('settings that go together are not', async (t) => {
  for (const config of good) {
    const { warnings } = await readFrom(t, config);
    t.deepEqual(warnings, [], JSON.stringify(config));
  }
});

test('a setting that can not be read is not judged beside others', async (t) => {
  t.deepEqual((await problemsIn(t, { port: 'off', tlsPort: 'on' })).length, 1);
  t.deepEqual((await problemsIn(t, { trustedNetworks: ['0.0.0.0/0'], trustedProxies: ['x'] })).length, 1);
});

const doubtful: [config: object, warnings: RegExp[]][] = [
  [{ tlsPort: 443 }, [/^tlsPort is 443, but there is no certificate/]],
  [{ authType: 'none', trustedProxies: ['127.0.0.1'] }, [/^authType is none: whoever reaches the proxy/]],
  [
    { trustedNetworks: ['0.0.0.0/0', '::/0'] },
    [/^trustedNetworks: 0.0.0.0\/0 is everybody/, /^trustedNetworks: ::\/0/],
  ],
  [{ trustedProxies: ['0.0.0.0/0'] }, [/^trustedProxies: 0.0.0.0\/0 is everybody/]],
  [{ storeClass: 'COLD', storeCache: 1 << 20 }, [/^storeClass is set, but there is no store/, /^storeCache is set/]],
  [{ memberName: 'east-1' }, [/^memberName is set, but there is no database/]],
  [
    { openidClient: 's', openidGroupMap: { a: 'b' } },
    [/^openidClient is set, but there is no openidIssuer/, /^openidGroupMap is set/],
  ],
  [
    { openidIssuer: 'https://l.example', openidClient: 's', publicUrl: 'http://i.example' },
    [/^publicUrl is http:\/\/i.example: .* in plain/],
  ],
];

test('what may not be meant is warned of', async (t) => {
  for (const [config, expected] of doubtful) {
    const { warnings } = await readFrom(t, config);
    t.is(warnings.length, expected.length, warnings.join('\n'));
    for (const [at, pattern] of expected.entries()) t.regex(warnings[at] ?? '', pattern);
  }
});

// --- Files

function certificate(): { cert: string; key: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const self = sshpk.createSelfSignedCertificate(
    sshpk.identityForHost('images.example'),
    sshpk.parsePrivateKey(key, 'pem'),
  );
  return { cert: self.toString('pem'), key };
}

async function pair(t: ExecutionContext, { cert, key }: { cert: string; key: string }) {
  const directory = await scratch(t);
  const tls = { tlsCertificate: join(directory, 'cert.pem'), tlsKey: join(directory, 'key.pem') };
  await writeFile(tls.tlsCertificate, cert);
  await writeFile(tls.tlsKey, key);
  return tls;
}

test('a certificate and its key', async (t) => {
  const tls = await pair(t, certificate());
  t.like((await readFrom(t, tls)).settings, tls);
  t.like((await readFrom(t, { ...tls, port: 'off' })).settings, tls);
  t.is((await problemsIn(t, { ...tls, tlsSelfSigned: true })).length, 1);
});

test('one without the other', async (t) => {
  const { tlsCertificate, tlsKey } = await pair(t, certificate());
  t.deepEqual(await problemsIn(t, { tlsCertificate }), [
    `tlsCertificate is "${tlsCertificate}", but there is no tlsKey`,
  ]);
  t.deepEqual(await problemsIn(t, { tlsKey }), [`tlsKey is "${tlsKey}", but there is no tlsCertificate`]);
});

test('files that are not there, or directories', async (t) => {
  const { tlsCertificate } = await pair(t, certificate());
  const directory = await scratch(t);
  await mkdir(join(directory, 'key.pem'));
  t.deepEqual(
    await problemsIn(t, { tlsCertificate: join(directory, 'cert.pem'), tlsKey: join(directory, 'key.pem') }),
    [
      `tlsCertificate: can not read "${join(directory, 'cert.pem')}": there is no such file`,
      `tlsKey: can not read "${join(directory, 'key.pem')}": it is a directory`,
    ],
  );
  t.is((await problemsIn(t, { tlsCertificate, tlsKey: join(directory, 'absent') })).length, 1);
});

test('a certificate that is cut, garbage, or of another key', async (t) => {
  const [one, other] = [certificate(), certificate()];
  const cases: [{ cert: string; key: string }, RegExp][] = [
    [{ cert: one.cert.slice(0, 100), key: one.key }, /: \S+cert\.pem breaks off in the middle of a certificate$/],
    [{ cert: 'no pem', key: one.key }, /: \S+cert\.pem holds no certificate as PEM$/],
    [{ cert: one.cert, key: 'no pem' }, /: \S+key\.pem holds no key as PEM without a passphrase: ./],
    [{ cert: one.cert, key: other.key }, /: the key in \S+key\.pem does not fit the certificate in \S+cert\.pem/],
    [{ cert: one.key, key: one.cert }, /: \S+cert\.pem holds no certificate as PEM$/],
  ];
  for (const [wrong, told] of cases) {
    const problems = await problemsIn(t, await pair(t, wrong));
    t.is(problems.length, 1);
    t.regex(problems[0] ?? '', /^tlsCertificate and tlsKey: /);
    t.regex(problems[0] ?? '', told);
  }
  const empty = await problemsIn(t, await pair(t, { cert: '', key: '\n' }));
  t.regex(empty.join(), /^tlsCertificate: "\S+cert.pem" is empty,tlsKey: "\S+key.pem" is empty$/);
});

test('a client secret is read from a file of the daemon alone, or from a variable, and never shown', async (t) => {
  const openid = { openidIssuer: 'https://l.example', openidClient: 's', publicUrl: 'https://i.example' };
  const path = join(await scratch(t), 'secret');
  const problems = () => problemsIn(t, { ...openid, openidSecret: path });
  t.deepEqual(await problems(), [`openidSecret: can not read "${path}": there is no such file`]);
  await writeFile(path, '\n', { mode: 0o600 });
  t.deepEqual(await problems(), [`openidSecret: "${path}" is empty`]);
  await chmod(path, 0o640);
  t.deepEqual(await problems(), [`openidSecret: others can read "${path}": "chmod 600" it, and think of who has`]);
  await writeFile(path, 'hidden-in-a-file\n');
  await chmod(path, 0o400);
  t.false((await told(t, { ...openid, openidSecret: path })).includes('hidden-in-a-file'));

  const config = await file(t, { ...openid, openidSecret: 'env:OF_OPENID' });
  t.deepEqual(problemsOf(t, ['--config', config]), ['openidSecret: the variable OF_OPENID is not set']);
  const used = readConfig(['--config', config], { OF_OPENID: 'hidden-in-a-variable' });
  t.false(report(used).includes('hidden-in-a-variable'));
});

test('a secretsKey that is not there, holds no key, or that others can read; a variable is set elsewhere', async (t) => {
  const directory = await scratch(t);
  const kept = async (name: string, content: string, mode: number) => {
    await writeFile(join(directory, name), content, { mode });
    return join(directory, name);
  };
  const key = randomBytes(32).toString('base64');
  const said = async (secretsKey: string) => (await problemsIn(t, { secretsKey })).join();
  t.regex(await said(join(directory, 'none')), /^secretsKey: there is no file \S+none: make one with "slipwayd --new/);
  t.regex(await said(await kept('empty', '', 0o600)), /^secretsKey: \S+empty holds no key/);
  t.regex(await said(await kept('open', key, 0o644)), /^secretsKey: others can read \S+open/);
  for (const good of [await kept('good', key, 0o600), 'env:NOT_HERE']) {
    await t.notThrowsAsync(readFrom(t, { secretsKey: good }));
  }
});

// --- What --check-config says

const told = async (t: ExecutionContext, config: object, argv: string[] = []) => {
  const path = await file(t, config);
  return report(readConfig(['--config', path, ...argv], {})).replaceAll(path, 'FILE');
};

test('each setting that is not the default, and where it comes from', async (t) => {
  t.is(
    await told(t, { port: 8080, data: 'data' }),
    'slipway: the configuration can be used\n  the defaults, for all settings',
  );
  const text = await told(
    t,
    {
      port: 9000,
      trustedNetworks: ['10.0.0.0/8', 'fd00::/8'],
      channels: [{ name: 'dev', default: true }, { name: 'release' }],
    },
    ['--tls-self-signed'],
  );
  t.deepEqual(text.split('\n'), [
    'slipway: the configuration can be used',
    '  port             9000                    from port in FILE',
    '  channels         dev (default), release  from channels in FILE',
    '  trustedNetworks  10.0.0.0/8, fd00::/8    from trustedNetworks in FILE',
    '  tlsSelfSigned    true                    from --tls-self-signed',
    '  and the defaults for all others',
  ]);
});

test('keys that can not be used are named by user and line, and never shown; the others are counted in', async (t) => {
  const { line, pem } = sshKey('ed25519');
  const authKeys = { ada: [line, `${line.slice(0, 40)} damaged`, 'nonsense'], 'no name': line, eve: pem };
  const text = await told(t, { authKeys });
  t.regex(text, /authKeys {2}ada \(3 keys\), no name \(1 key\), eve \(1 key\)/);
  t.regex(text, /^warning: authKeys: line 2 of ada is left out: the key is cut short or damaged$/m);
  t.regex(text, /^warning: authKeys: line 3 of ada is left out: this is no public key/m);
  t.regex(text, /^warning: authKeys: "no name" is no user name, and can not sign$/m);
  t.regex(text, /^warning: authKeys: line 1 of eve is left out/m);
  t.notRegex(text, /line 1 of ada/);
  t.false(text.includes(pem.split('\n')[1] ?? pem));
  t.false(text.includes(line.split(' ')[1] ?? line));
});

test('the password of a database is never shown', async (t) => {
  const config = { store: 's3://bucket', secretsKey: 'env:KEY' };
  for (const database of ['postgres://ada:secret@g:1,h:2/d', 'postgres://ada@g:1,h:2/d?password=secret']) {
    const text = await told(t, { ...config, database });
    t.regex(text, /database {4}postgres:\/\/ada@g:1,h:2\/d /);
    t.false(text.includes('secret@') || text.includes('=secret'));
  }
  const problems = await problemsIn(t, { ...config, database: 'postgresql//ada:secret@h/d' });
  t.is(problems.length, 1);
  t.false(problems.join().includes('secret@'));
});

test('neither --restore nor --takeover goes into what others share', (t) => {
  const refused = (argv: string[]) => t.throws(() => readConfig(['--restore', 'backup.tar', ...argv], {}))?.message;
  t.regex(`${refused(['--store', 's3://bucket'])}`, /^--restore: not into a store: .*"slipway migrate"/);
  const database = ['--store', 's3://bucket', '--secrets-key', 'env:KEY', '--database', 'postgres://h/d'];
  t.regex(`${refused(database)}`, /^--restore: not into a database/);
  const takeover = t.throws(() => readConfig(['--takeover', 'old', ...database], {}))?.message;
  t.regex(`${takeover}`, /^--takeover: not into a database: .*"slipway migrate"/);
  t.notThrows(() => readConfig(['--takeover', 'old', '--store', 's3://bucket'], {}));
});

test('--fill-channel names a channel that is configured', (t) => {
  const channels = ['--channels', '[{"name":"dev","description":"all","default":true}]'];
  t.is(readConfig([...channels, '--fill-channel', 'dev'], {}).start.fillChannel, 'dev');
  t.throws(() => readConfig([...channels, '--fill-channel', 'release'], {}), {
    message: /--fill-channel: there is no channel "release"; configured are: dev/,
  });
});

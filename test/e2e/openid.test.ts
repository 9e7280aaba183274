import test from 'ava';
import { Browser } from '../support/browser.js';
import { launch, startDaemon } from '../support/daemon.js';
import { CLIENT, PUBLIC, startIssuer } from '../support/issuer.js';
import { scratch } from '../support/scratch.js';
import { accountOf, endOf, HOST, isPage } from '../support/signing-in.js';

test('a sign-in that was begun before the daemon is started again is finished after it', async (t) => {
  const issuer = await startIssuer(t);
  issuer.person = { sub: 's-1', preferred_username: 'anna', groups: ['ops'] };
  const data = await scratch(t);
  const config = {
    publicUrl: PUBLIC,
    openidIssuer: issuer.url,
    openidClient: CLIENT.client,
    openidSecret: 'env:OF_THE_CLIENT',
    openidScopes: ['openid', 'profile', 'groups'],
    openidGroupMap: { ops: 'operators' },
    openidCreates: true,
  };
  const env = { OF_THE_CLIENT: CLIENT.secret };
  const first = await startDaemon(t, { data, config, env });
  t.is((await first.ask('POST', '/api/group/operators')).status, 201);
  const hosts = { [HOST]: { port: first.port } };
  const browser = new Browser(hosts);
  const back = await browser.open(`${PUBLIC}/console/openid/start?to=/console/nodes`, ({ pathname }) =>
    pathname.endsWith('/callback'),
  );
  t.is((await first.kill('SIGTERM')).code, 0);

  const second = await startDaemon(t, { data, config, env });
  hosts[HOST] = { port: second.port };
  const page = await browser.open(back.url.href, isPage);
  t.is(page.url.href, `${PUBLIC}/console/nodes`);
  t.like(await accountOf(browser), { name: 'anna', groups: ['operators'] });
  const { stderr, stdout } = await second.kill('SIGTERM');
  const { searchParams } = back.url;
  for (const secret of [CLIENT.secret, searchParams.get('code') ?? '', searchParams.get('state') ?? '']) {
    t.true(secret.length > 10);
    t.false(`${stdout}${stderr}`.includes(secret));
  }
});

test('the issuer may be away when the daemon starts', async (t) => {
  const issuer = await startIssuer(t);
  await issuer.close();
  const config = { publicUrl: PUBLIC, openidIssuer: issuer.url, openidClient: CLIENT.client };
  const daemon = await startDaemon(t, { config });
  const page = await new Browser({ [HOST]: { port: daemon.port } }).open(`${PUBLIC}/console/openid/start`, isPage);
  t.is(endOf(page), 'away');
});

test('what is wrong with it is told at once, before anything is opened', async (t) => {
  const data = await scratch(t);
  const given = [
    '--openid-issuer',
    'https://login.example',
    '--openid-secret',
    'env:NOT_SET',
    '--openid-scopes',
    'email',
  ];
  for (const also of [['--check-config'], []]) {
    const { code, stderr } = await launch(t, ['--data', data, '--port', '0', ...given, ...also]).exited;
    t.is(code, 1);
    t.regex(stderr, /4 problems:/);
    for (const what of [/set openidClient/, /publicUrl: set it/, /NOT_SET is not set/, /scope "openid"/])
      t.regex(stderr, what);
  }
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openConfiguredIssuer, rulesOf } from '../../server/openid/open-configured.js';
import { Outgoing } from '../../server/outgoing/outgoing.js';
import { read } from '../config/settings.js';
import { CLIENT, PUBLIC, startIssuer } from '../support/issuer.js';
import { scratch } from '../support/scratch.js';

const now = () => new Date();

test('without an issuer there is none, and no rules', async (t) => {
  const outgoing = new Outgoing({ allowedAddresses: [], allowedHosts: [] });
  t.is(await openConfiguredIssuer(read([]), {}, { outgoing, now }), undefined);
  t.is(rulesOf(read([])), undefined);
});

test('as the settings say: the secret from a file, the scopes, the way back', async (t) => {
  const issuer = await startIssuer(t);
  const file = join(await scratch(t), 'secret');
  await writeFile(file, `${CLIENT.secret}\n`, { mode: 0o600 });
  const outgoing = new Outgoing({ allowedAddresses: [], allowedHosts: [] });
  t.teardown(() => outgoing.close());
  const given = ['--openid-client', CLIENT.client, '--public-url', PUBLIC, '--openid-scopes', 'openid,groups'];
  const map = ['--openid-group-map', '{"ops":"east"}', '--openid-binds', '--openid-label', 'Go'];
  const settings = read(['--openid-issuer', issuer.url, '--openid-secret', file, ...given, ...map]);
  t.deepEqual(rulesOf(settings), {
    issuer: issuer.url,
    name: 'preferred_username',
    groups: 'groups',
    groupMap: { ops: ['east'] },
    creates: false,
    binds: true,
    label: 'Go',
  });
  const opened = await openConfiguredIssuer(settings, {}, { outgoing, now });
  t.deepEqual(issuer.asked, [], 'nobody is asked before somebody signs in');
  const { searchParams } = new URL((await opened!.begin()).url);
  t.is(searchParams.get('scope'), 'openid groups');
  t.is(searchParams.get('redirect_uri'), `${PUBLIC}/console/openid/callback`);
  t.is(searchParams.get('client_id'), CLIENT.client);
});

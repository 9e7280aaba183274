import test from 'ava';
import { ADMIN } from '../../server/model/user.js';
import { addUser } from '../support/fixtures.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

/** The origin of an image that belongs to the guest; who acts; how the image is opened to everybody. */
const cases = table<'origin' | 'owner' | 'actor' | 'answer'>(`
  origin          owner  actor     answer
  private         admin  guest     422 NotImageOwner
  private-shared  admin  guest     422 NotImageOwner
  private         guest  guest     200
  public          admin  guest     200
  private         admin  operator  200
`);

const openings: Record<string, { from: object; activate: boolean; action: string; body?: object }> = {
  'by making it public': { from: { public: false }, activate: true, action: 'update', body: { public: true } },
  'by activating it': { from: { public: true }, activate: false, action: 'activate' },
};

for (const { origin, owner, actor, answer } of cases) {
  for (const [how, { from, activate, action, body }] of Object.entries(openings)) {
    test(`an image built on a ${origin} one of ${owner}'s is opened by the ${actor} ${how}`, async (t) => {
      const server = await startServer(t, { trusts: () => true });
      const { deps, ask } = server;
      const { uuid: GUEST } = await addUser(server, 'guest');
      const base = await server.image({
        owner: owner === 'admin' ? ADMIN.uuid : GUEST,
        public: origin === 'public',
        ...(origin === 'private-shared' && { acl: [GUEST] }),
      });
      const built = await server.image({ ...from, owner: GUEST, origin: base.uuid }, { activate });
      const account = actor === 'guest' ? `&account=${GUEST}` : '';
      const changed = await ask('POST', `/images/${built.uuid}?action=${action}${account}`, { ...(body && { body }) });
      t.is(told(changed), answer);

      const isRefused = changed.status !== 200;
      deps.trusts = () => false;
      const seen = await ask('GET', `/images/${base.uuid}/file`);
      t.is(seen.status, isRefused ? 404 : 200, 'the file of the origin, for everybody');
      if (!isRefused) return;
      const isNamed = changed.json.message?.includes(base.uuid);
      t.is(isNamed, origin === 'private-shared', 'only an origin that the account sees is named');
    });
  }
}

test('what stands behind an open origin is open already', async (t) => {
  const server = await startServer(t, { trusts: () => true });
  const { uuid: guest } = await addUser(server, 'guest');
  const base = await server.image({ public: false });
  const middle = await server.image({ origin: base.uuid });
  const built = await server.image({ public: false, owner: guest, origin: middle.uuid });
  const path = `/images/${built.uuid}?action=update&account=${guest}`;
  t.is(told(await server.ask('POST', path, { body: { public: true } })), '200');
});

test('an image is not given away with an origin that was only shared', async (t) => {
  const server = await startServer(t, { trusts: () => true });
  const { uuid: guest } = await addUser(server, 'guest');
  const { uuid: other, headers } = await addUser(server, 'other');
  const base = await server.image({ public: false, acl: [guest] });
  const built = await server.image({ public: false, owner: guest, origin: base.uuid });
  const give = (account: string) =>
    server.ask('POST', `/images/${built.uuid}?action=update${account}`, { body: { owner: other } });
  t.is(told(await give(`&account=${guest}`)), '422 NotImageOwner');
  t.is((await server.stored(built.uuid))?.owner, guest);
  t.is((await server.ask('GET', `/images/${base.uuid}`, { headers })).status, 404);
  t.is(told(await give('')), '200');
});

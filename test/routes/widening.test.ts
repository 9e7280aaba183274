import test from 'ava';
import { ADMIN } from '../../server/model/user.js';
import { numbered } from '../support/fixtures.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const GUEST = numbered(7);

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
      await deps.catalog.write((tx) =>
        tx.insert(
          { name: 'users', id: () => GUEST },
          { uuid: GUEST, name: 'guest', superAdmin: false, created: new Date(0).toISOString() },
        ),
      );
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

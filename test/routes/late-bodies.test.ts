import { PassThrough } from 'node:stream';
import test from 'ava';
import { groups } from '../../server/model/group.js';
import { nodeTokens } from '../../server/model/node-token.js';
import { hashToken, tokens } from '../../server/model/token.js';
import { users } from '../../server/model/user.js';
import { addDatacenter, addNodeToken, grant, place } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { kept, told } from '../support/told.js';

// A body takes as long as its sender likes: what counts is what the sender may when all of it has come.

type Headers = Record<string, string>;
interface Sender {
  headers: Headers;
  lose(): Promise<void>;
}

async function manager(server: TestServer): Promise<{ uuid: string; group: string; headers: Headers }> {
  const user = await addUser(server, 'someone');
  const group = await grant(server, user, 'D', 'admin', 'image_admin');
  return { ...user, group };
}

const senders: Record<string, (server: TestServer) => Promise<Sender>> = {
  'whose group is gone': async (server) => {
    const { headers, group } = await manager(server);
    return { headers, lose: () => server.deps.catalog.write((tx) => tx.delete(groups, group)) };
  },
  'who is locked out': async (server) => {
    const { headers, uuid } = await manager(server);
    const lose = () =>
      server.deps.catalog.write(async (tx) => {
        const user = await tx.get(users, uuid);
        if (user) await tx.replace(users, { ...user, inactive: true });
      });
    return { headers, lose };
  },
  'whose token is revoked': async (server) => {
    const { uuid } = await manager(server);
    const { catalog, now } = server.deps;
    const hash = hashToken('short-lived');
    await catalog.write((tx) => tx.insert(tokens, { hash, name: 'x', user: uuid, created: now().toISOString() }));
    return {
      headers: { authorization: 'Bearer short-lived' },
      lose: () => catalog.write((tx) => tx.delete(tokens, hash)),
    };
  },
  'a node whose token is revoked': async (server) => {
    const headers = await addNodeToken(server, 'n1', ['D'], { publish: 'D' });
    const hash = hashToken('token-of-n1');
    return { headers, lose: () => server.deps.catalog.write((tx) => tx.delete(nodeTokens, hash)) };
  },
};

for (const [who, arrange] of Object.entries(senders)) {
  test(`a file of one ${who} while it is sent is thrown away`, async (t) => {
    const server = await startServer(t);
    await addDatacenter(server, 'D');
    const { uuid } = await server.image({ public: false }, { file: null });
    await place(server, uuid, { datacenters: ['D'], boundTo: 'D' });
    const { headers, lose } = await arrange(server);
    const path = `/images/${uuid}/file?compression=none`;
    const sent = await server.ask('PUT', path, { headers, body: 'this is taken' });
    t.is(sent.status, 200);
    const before = await server.stored(uuid);
    const body = new PassThrough();
    const asked = server.ask('PUT', path, { headers, body });
    body.write('the first part');
    while ((await kept(server)).staged === 0) await new Promise(setImmediate);
    await lose();
    body.end('the last');
    t.regex(told(await asked), /^(403 NotPermitted|404 ResourceNotFound)$/);
    t.deepEqual(await server.stored(uuid), before);
    t.is((await kept(server)).staged, 0);
  });
}

import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const change = ({ ask }: TestServer, uuid: string, query: string, body?: Ask['body']) =>
  ask('POST', `/images/${uuid}/acl${query}`, body === undefined ? {} : { body });

const uuidsOf = (numbers: string) => (numbers ? numbers.split(' ').map((n) => numbered(Number(n))) : []);

const steps = table<'before' | 'query' | 'accounts' | 'after'>(`
  before  query           accounts     after
  -       -               1            1
  -       ?action=add     1 2          1 2
  -       ?action=        1            1
  -       ?action=add     2 1 2 1      2 1
  1 2     ?action=add     2 3 1        1 2 3
  1 2     ?action=add     -            1 2
  -       ?action=add     -            -
  1 2 3   ?action=remove  2            1 3
  1 2 3   ?action=remove  3 1          2
  1 2     ?action=remove  1 2          -
  1 2     ?action=remove  3            1 2
  1 2     ?action=remove  -            1 2
  -       ?action=remove  1            -
  1       ?action=remove  1 1          -
`);

for (const mode of ['dc', 'public', 'private'] as const satisfies Mode[]) {
  test(`${mode}: accounts are added and removed, in order, whether they exist or not`, async (t) => {
    const server = await startServer(t, { mode });
    for (const activate of [false, true]) {
      for (const { before, query, accounts, after } of steps) {
        const { acl: _, ...made } = await server.image({ acl: uuidsOf(before) }, { activate });
        const answer = await change(server, made.uuid, query, uuidsOf(accounts));
        const why = `${before} ${query} ${accounts}`;
        t.is(answer.status, 200, why);
        t.deepEqual(answer.json, { ...made, ...(after && { acl: uuidsOf(after) }) }, why);
        const got = await server.ask('GET', `/images/${made.uuid}`, { as: 'admin' });
        t.deepEqual(got.json, answer.json, why);
        t.is(got.headers.etag, answer.headers.etag, why);
      }
    }
  });
}

const refused = table<'query' | 'body' | 'told'>(`
  query                     body                 told
  -                         -                    422 InvalidParameter acl:Invalid
  -                         {}                   422 InvalidParameter acl:Invalid
  -                         {"acl": ["UUID"]}    422 InvalidParameter acl:Invalid
  -                         "UUID"               422 InvalidParameter acl:Invalid
  -                         null                 422 InvalidParameter acl:Invalid
  -                         ["UUID", "x"]        422 InvalidParameter acl:Invalid
  -                         ["UPPER"]            422 InvalidParameter acl:Invalid
  -                         [["UUID"]]           422 InvalidParameter acl:Invalid
  -                         [5]                  422 InvalidParameter acl:Invalid
  -                         [null]               422 InvalidParameter acl:Invalid
  ?action=remove            ["x"]                422 InvalidParameter acl:Invalid
  ?action=remove            -                    422 InvalidParameter acl:Invalid
  ?action=replace           ["UUID"]             422 InvalidParameter action:Invalid
  ?action=Add               ["UUID"]             422 InvalidParameter action:Invalid
  ?action=toString          ["UUID"]             422 InvalidParameter action:Invalid
  ?action=add&action=add    ["UUID"]             422 InvalidParameter action:Invalid
  ?action=replace           nonsense             400 InvalidContent
`);

test('what is refused changes nothing', async (t) => {
  const server = await startServer(t);
  const made = await server.image({ acl: [numbered(1)] });
  for (const { query, body, told: expected } of refused) {
    const text = body.replace('UUID', numbered(2)).replace('UPPER', numbered(2).replace('4000', 'ABCD'));
    const answer = await server.ask('POST', `/images/${made.uuid}/acl${query}`, {
      ...(text && { body: text, headers: { 'content-type': 'application/json' } }),
    });
    t.is(told(answer), expected, `${query} ${body}`);
    t.deepEqual((await server.ask('GET', `/images/${made.uuid}`)).json, made);
  }
});

const order = table<'image' | 'account' | 'query' | 'told'>(`
  image      account  query                     told
  malformed  bad      &channel=x&action=x       404 ResourceNotFound
  absent     bad      &channel=x&action=x       422 ValidationFailed channel:Invalid
  absent     bad      &action=x                 422 InvalidParameter account:Invalid
  absent     user     &action=x                 404 ResourceNotFound
  hidden     user     &action=x                 404 ResourceNotFound
  others     user     &action=x                 422 NotImageOwner
  shared     user     &action=x                 422 NotImageOwner
  own        user     &action=x                 422 InvalidParameter action:Invalid
  own        user     &action=add               422 InvalidParameter acl:Invalid
  own        user     &channel=release          404 ResourceNotFound
`);

test('the order of checks', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  const user = await addUser(server, 'someone');
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    hidden: (await server.image({ public: false })).uuid,
    others: (await server.image()).uuid,
    shared: (await server.image({ public: false, acl: [user.uuid] })).uuid,
    own: (await server.image({ owner: user.uuid })).uuid,
  };
  for (const { image, account, query, told: expected } of order) {
    const named: Record<string, string> = { user: user.uuid, bad: 'nonsense' };
    const answer = await change(server, uuids[image]!, `?account=${named[account]}${query}`, ['x']);
    t.is(told(answer), expected, [image, account, query].join(' '));
  }
  t.is((await change(server, uuids.own!, `?account=${user.uuid}`, [numbered(1)])).status, 200);
});

test('whoever is added sees the image, and does no longer when removed', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const { uuid } = await server.image({ public: false });
  const asks = async () => {
    const query = `?account=${user.uuid}`;
    const { status } = await server.ask('GET', `/images/${uuid}${query}`, { as: 'admin' });
    const { status: ofFile } = await server.ask('GET', `/images/${uuid}/file${query}`, { as: 'admin' });
    const { list } = await server.ask('GET', `/images${query}`, { as: 'admin' });
    return [status, ofFile, list.length];
  };
  t.deepEqual(await asks(), [404, 404, 0]);
  await change(server, uuid, '', [user.uuid]);
  t.deepEqual(await asks(), [200, 200, 1]);
  await change(server, uuid, '?action=remove', [user.uuid]);
  t.deepEqual(await asks(), [404, 404, 0]);
});

test('accounts that are added at the same time are all added', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const accounts = Array.from({ length: 10 }, (_, n) => numbered(n));
  await Promise.all(accounts.map((account) => change(server, uuid, '', [account])));
  t.deepEqual([...((await server.stored(uuid))?.acl ?? [])].sort(), accounts);
});

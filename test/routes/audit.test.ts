import test, { type ExecutionContext } from 'ava';
import { type ExportLine, verifyExport } from '../../imgapi/audit-chain.js';
import { type AuditEntry, auditEntries, CHANGES } from '../../server/model/audit.js';
import { type Group, groups } from '../../server/model/group.js';
import { sealAudit } from '../../server/operations/seal-audit.js';
import { StorageDown } from '../../storage/errors.js';
import { addDatacenter, grant, place } from '../support/datacenters.js';
import { ownCatalog } from '../support/engines.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Answer, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

interface Shown {
  [field: string]: unknown;
  id: string;
  what: string;
  result: string;
  object: string;
  objects: { kind: string; id: string; name: string; action?: string; fields?: string[]; datacenters: string[] }[];
}

const shownIn = ({ json }: Answer) => json.result as Shown[];
const as = (headers: Record<string, string>) => ({ headers });

/** What the administrator finds. */
async function found({ ask, deps }: TestServer, query = ''): Promise<Shown[]> {
  await deps.audit.flush();
  return shownIn(await ask('GET', `/api/audit?${query}`, { as: 'admin' }));
}

async function entries({ deps }: TestServer, chain = CHANGES): Promise<AuditEntry[]> {
  await deps.audit.flush();
  const all: AuditEntry[] = [];
  for await (const entry of deps.catalog.list(auditEntries)) if (entry.chain.startsWith(chain)) all.push(entry);
  return all;
}

async function fleet(t: ExecutionContext, options: ServerOptions = {}) {
  const server = await startServer(t, options);
  for (const name of ['north', 'south']) await addDatacenter(server, name);
  const [nora, sam, plain] = await Promise.all(['nora', 'sam', 'plain'].map((name) => addUser(server, name)));
  await grant(server, nora!, 'north', 'admin', 'image_admin');
  await grant(server, sam!, 'south', 'admin');
  const [north, south] = [await server.image({ name: 'northern' }), await server.image({ name: 'southern' })];
  await place(server, north.uuid, { datacenters: ['north'], boundTo: 'north' });
  await place(server, south.uuid, { datacenters: ['south'], boundTo: 'south' });
  return { ...server, nora: nora!, sam: sam!, plain: plain!, north, south };
}

test('a change leaves one entry: who, from where, by what, on which object', async (t) => {
  const server = await fleet(t);
  const { ask, north } = server;
  const before = (await entries(server)).length;
  const changed = await ask('POST', `/images/${north.uuid}?action=update`, {
    body: { description: 'new' },
    headers: { 'x-request-id': 'the request' },
  });
  t.is(changed.status, 200);
  const all = await entries(server);
  t.is(all.length, before + 1);
  t.like(all.at(-1), {
    chain: CHANGES,
    seq: all.length,
    who: { name: 'admin', kind: 'user', token: 'test' },
    from: '127.0.0.1',
    what: 'ActOnImage update',
    objects: [
      {
        kind: 'images',
        id: north.uuid,
        name: 'northern',
        action: 'changed',
        fields: ['description'],
        datacenters: ['north'],
      },
    ],
    datacenters: ['north'],
    request: 'the request',
    result: 'done',
  });
});

test('a move from one data center to another belongs to both', async (t) => {
  const server = await fleet(t);
  await place(server, server.north.uuid, { datacenters: ['south'], boundTo: 'south' });
  t.deepEqual((await entries(server)).at(-1)?.datacenters, ['north', 'south']);
});

test('what changes nothing, and what is refused, leaves nothing among the changes', async (t) => {
  const server = await fleet(t);
  const { ask, north, deps } = server;
  const before = await entries(server);
  await ask('GET', `/images/${north.uuid}`);
  await deps.catalog.write(async (tx) => {
    for await (const group of tx.list(groups)) await tx.replace(groups, group);
  });
  await t.throwsAsync(
    deps.catalog.write(async (tx) => {
      for await (const { name } of tx.list(groups)) await tx.delete(groups, name);
      throw new Error('no');
    }),
  );
  t.is((await ask('DELETE', `/images/${numbered(9)}`)).status, 404);
  t.is((await ask('POST', `/images/${north.uuid}?action=update`, { as: 'anonymous', body: {} })).status, 401);
  t.deepEqual(await entries(server), before);
});

test('what was changed is told by the names of its fields, and shown in the log of tasks', async (t) => {
  const server = await fleet(t);
  const { ask, nora, plain } = server;
  await grant(server, plain, 'north');
  await ask('PUT', '/api/image/northern', {
    ...as(nora.headers),
    body: { owner: 'plain', alias: 'high', label: 'red' },
  });
  const [entry] = await found(server, 'object=northern');
  t.deepEqual(entry?.objects[0]?.fields, ['label', 'name', 'owner']);
  await ask('PUT', '/api/user/plain', { body: { password: 'a long secret' } });
  const [secret] = await found(server, 'object=plain');
  t.deepEqual(secret?.objects[0]?.fields, ['password']);
  t.false(JSON.stringify(secret).includes('a long secret'));
  const { json } = await ask('GET', '/api/task/log?object_name=northern&limit=1', as(nora.headers));
  t.like(json.result, [{ msg: 'UpdateManagedImage', detail: 'result=done fields=label,name,owner' }]);
  await ask('DELETE', '/api/image/northern', as(nora.headers));
  t.false('fields' in ((await found(server, 'object=northern'))[0]?.objects[0] ?? {}), 'of what is gone, none');
});

test('what was refused is found by the name of what was meant, also when that is gone', async (t) => {
  const server = await fleet(t);
  const { ask, north, nora, plain } = server;
  await ask('PUT', `/images/${north.uuid}/file?compression=none`, { ...as(plain.headers), body: 'bytes' });
  await ask('DELETE', `/images/${north.uuid}`);
  const [gone, refused] = await found(server, 'object=northern');
  t.like(gone, { what: 'DeleteImage', result: 'done' });
  t.like(refused, { who: 'plain', what: 'AddImageFile', result: 'NotPermitted', object: 'northern' });
  t.like(refused?.objects[0], { kind: 'images', id: north.uuid, datacenters: ['north'] });
  const seen = shownIn(await ask('GET', '/api/audit?object=northern', as(nora.headers)));
  t.true(
    seen.some(({ what }) => what === 'AddImageFile'),
    'by those who administer where it was',
  );
  await ask('PUT', '/api/image/southern', { ...as(plain.headers), body: { desc: 'x' } });
  t.like((await found(server, 'object=southern'))[0], { what: 'UpdateManagedImage', result: 'NotPermitted' });
  await ask('PUT', `/api/vm/${numbered(7)}`, { ...as(plain.headers), body: { hostname: 'x', dc: 'north' } });
  const [machine] = await found(server, `object=${numbered(7)}`);
  t.like(machine?.objects[0], { kind: 'path', id: `/api/vm/${numbered(7)}` }, 'a machine is no image');
});

test('refusals are told beside the changes, and counted where they come again', async (t) => {
  const server = await fleet(t);
  const { ask, north, plain } = server;
  for (let n = 0; n < 3; n++) await ask('DELETE', `/images/${north.uuid}`, as(plain.headers));
  await ask('DELETE', `/images/${north.uuid}`, { as: 'anonymous' });
  await ask('POST', '/api/group/new', { body: { permissions: ['everything'] } });
  const { json } = await ask('POST', '/api/token', { body: { name: 'looking', scope: 'read' } });
  const { token } = json.result as { token: string };
  await ask('DELETE', '/api/group/new', as({ authorization: `Bearer ${token}` }));
  const refused = (await entries(server, 'accesses-')).map(({ who, what, objects, result, count }) => [
    ...[who.name, what, objects[0]?.id, result, count ?? 1],
  ]);
  t.deepEqual(refused, [
    ['plain', 'DeleteImage', north.uuid, 'NotPermitted', 3],
    ['anonymous', 'DeleteImage', north.uuid, 'UnauthorizedError', 1],
    ['admin', 'CreateGroup', '/api/group/new', 'InvalidInput', 1],
    ['admin', 'DeleteGroup', '/api/group/new', 'NotPermitted', 1],
  ]);
});

test('pulls: what one client repeats is counted, whole files and ranges apart; what moves nothing is not told', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: 'ten bytes.' });
  const path = `/images/${uuid}/file`;
  const whole = await server.ask('GET', path);
  await server.ask('GET', path);
  for (const range of ['bytes=0-3', 'bytes=4-5', 'bytes=6-9']) await server.ask('GET', path, as({ range }));
  await server.ask('HEAD', path);
  await server.ask('GET', path, as({ 'if-none-match': String(whole.headers.etag) }));
  await server.ask('GET', `/images/${uuid}`);
  await server.ask('GET', path, as({ range: 'bytes=99-' }));
  await server.ask('GET', `/images/${numbered(9)}/file`);
  const pulls = await entries(server, 'accesses-');
  t.deepEqual(
    pulls.map(({ result, bytes = 0, count = 1, objects }) => [result, bytes, count, objects[0]?.name]),
    [
      ['whole', 20, 2, 'sample'],
      ['range', 10, 3, 'sample'],
      ['RequestedRangeNotSatisfiable', 0, 1, 'sample'],
      ['ResourceNotFound', 0, 1, numbered(9)],
    ],
  );
  for (const { who, from, what } of pulls) {
    t.like({ who, from, what }, { who: { kind: 'anonymous' }, from: '127.0.0.1', what: 'GetImageFile' });
  }
});

test('an administrator of a data center finds what concerns it, and nothing that tells of more', async (t) => {
  const server = await fleet(t);
  const { ask, nora, north, south, deps } = server;
  const at = deps.now().toISOString();
  const both: Group = { name: 'both', alias: '', permissions: [], members: [], datacenters: ['north'], created: at };
  await deps.catalog.write(async (tx) => {
    await tx.insert(groups, both);
    await tx.insert(groups, { ...both, name: 'secret', datacenters: ['south'] });
  });
  await ask('GET', `/images/${south.uuid}/file`);
  await deps.audit.flush();
  const seen = shownIn(await ask('GET', '/api/audit', as(nora.headers)));
  t.true(seen.some(({ object }) => object === 'northern'));
  for (const entry of seen) {
    t.deepEqual(entry.datacenters, ['north']);
    t.deepEqual([entry.seq, entry.hash, entry.chain], [undefined, undefined, undefined]);
  }
  t.notRegex(JSON.stringify(seen), /south|secret/);
  t.is(seen[0]?.object, 'both', 'of what was done at once, its own part');

  const asNora = async (query: string) => ask('GET', `/api/audit?${query}`, as(nora.headers));
  for (const [hidden, absent] of [
    ['object=southern', 'object=northernmost'],
    [`object=${south.uuid}`, `object=${numbered(9)}`],
    ['object=secret', 'object=nothing'],
  ] as const) {
    const [one, other] = [await asNora(hidden), await asNora(absent)];
    t.deepEqual([one.status, String(one.bytes)], [other.status, String(other.bytes)], hidden);
  }
  const secretId = (await found(server, 'object=southern'))[0]!.id;
  for (const query of ['dc=NAME', 'after=NAME']) {
    const [name, other] = query.startsWith('dc') ? ['south', 'nowhere'] : [secretId, numbered(9)];
    const hidden = await asNora(query.replace('NAME', name));
    const absent = await asNora(query.replace('NAME', other));
    t.is(told(hidden), '404 ResourceNotFound');
    t.is(String(hidden.bytes).replaceAll(name, '-'), String(absent.bytes).replaceAll(other, '-'));
  }
  t.true(shownIn(await asNora(`object=${north.uuid}`)).length > 0);
  const exported = String((await ask('GET', '/api/audit/export', as(nora.headers))).bytes);
  t.notRegex(exported, /south|secret|"seq"/);
  t.regex(exported, /northern/);
});

test('of a long path that is refused the beginning is kept', async (t) => {
  const server = await startServer(t);
  await server.ask('DELETE', `/api/image/${'x'.repeat(4000)}`, { as: 'anonymous' });
  const [refused] = await found(server);
  t.is(refused?.result, 'UnauthorizedError');
  t.is(refused?.objects[0]?.id, `/api/image/${'x'.repeat(501)}`);
});

test('users without a role are refused, whatever they ask for; heads are for SuperAdmins', async (t) => {
  const { ask, plain, nora } = await fleet(t);
  for (const path of ['', '?dc=north', '?dc=nowhere', '/export', '/head']) {
    t.is(told(await ask('GET', `/api/audit${path}`, as(plain.headers))), '403 NotPermitted', path);
  }
  t.is(told(await ask('GET', '/api/task/log', as(plain.headers))), '403 NotPermitted');
  t.is(told(await ask('GET', '/api/audit/head', as(nora.headers))), '403 NotPermitted');
});

test('filters, and pages that go on behind an entry', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00.000Z');
  const server = await startServer(t, { now: () => new Date(time) });
  const { uuid } = await server.image({ name: 'base' });
  for (let day = 0; day < 6; day++) {
    time += 86_400_000;
    await server.ask('POST', `/images/${uuid}?action=update`, { body: { description: `day ${day}` } });
  }
  const days = async (query: string) => (await found(server, query)).map(({ at }) => String(at).slice(8, 10));
  t.deepEqual(await days('what=ActOnImage%20update'), ['07', '06', '05', '04', '03', '02']);
  t.deepEqual(await days(`object=${uuid}&since=2030-01-04&until=2030-01-06`), ['06', '05', '04']);
  t.deepEqual(await days('object=base&until=2030-01-03T00:00:00Z&what=ActOnImage&limit=2'), ['03', '02']);
  t.deepEqual(await days('user=admin&since=2030-01-06'), ['07', '06']);
  t.deepEqual(await days('dc=main&since=2030-01-06&offset=1'), ['06']);
  t.deepEqual(await days('kind=images&since=2030-01-06'), ['07', '06']);
  t.deepEqual(await days('kind=nodes'), []);
  t.deepEqual(await days('user=nobody'), []);

  const all = (await found(server)).map(({ id }) => id);
  const paged: string[] = [];
  for (let after: unknown = ''; after !== undefined; ) {
    const page = await server.ask('GET', `/api/audit?limit=4${after ? `&after=${after}` : ''}`, { as: 'admin' });
    paged.push(...shownIn(page).map(({ id }) => id));
    after = page.json.next;
  }
  t.deepEqual(paged, all);
});

for (const query of [
  'limit=0',
  'limit=many',
  'offset=-1',
  'since=yesterday',
  'until=2030-13-01',
  'colour=red',
  'object=',
]) {
  test(`a query that is not valid is refused by name: ${query}`, async (t) => {
    const { ask } = await startServer(t);
    const answer = await ask('GET', `/api/audit?${query}`, { as: 'admin' });
    t.is(answer.status, 400);
    t.deepEqual(Object.keys(answer.json.result as object), [query.split('=')[0]]);
  });
}

test('no secret stands in any entry', async (t) => {
  const server = await fleet(t);
  const { ask } = server;
  const made = await ask('POST', '/api/token', { body: { name: 'ci' } });
  const { token: secret } = made.json.result as { token: string };
  await ask('GET', '/ping', as({ authorization: `Bearer ${secret}` }));
  await ask('POST', '/api/user/eve', { body: { password: 'a password to find' } });
  await ask('POST', '/api/accounts/login', { body: { username: 'eve', password: 'a password to find' } });
  await ask('POST', '/api/accounts/login', { body: { username: 'eve', password: 'a wrong password' } });
  await ask('DELETE', '/api/token/ci');
  const all = JSON.stringify([...(await entries(server)), ...(await entries(server, 'accesses-'))]);
  t.false(all.includes(secret));
  t.notRegex(all, /a password to find|a wrong password|hash":"(?![0-9a-f]{64}")/);
});

const exportOf = async ({ ask }: TestServer) =>
  String((await ask('GET', '/api/audit/export', { as: 'admin' })).bytes)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ExportLine);

const headsOf = async ({ ask }: TestServer) =>
  (await ask('GET', '/api/audit/head', { as: 'admin' })).json.result as {
    key: string;
    heads: Parameters<typeof verifyExport>[1];
  };

test('an export is verified against heads that were signed before it, and shows what was done to the records', async (t) => {
  const catalog = await ownCatalog();
  const server = await startServer(t, { catalog });
  const { uuid } = await server.image();
  await server.ask('GET', `/images/${uuid}/file`);
  await server.ask('DELETE', `/images/${numbered(9)}`);
  const { key, heads } = await headsOf(server);
  t.is(heads.length, 2);
  await server.ask('POST', `/images/${uuid}?action=update`, { body: { description: 'later' } });
  const { faults, entries: count } = await verifyExport(await exportOf(server), heads, key);
  t.deepEqual(faults, []);
  t.true(count > 4);

  const id = 'changes/000000000003';
  const entry = (await catalog.get(auditEntries, id))!;
  await catalog.write((tx) => tx.replace(auditEntries, { ...entry, from: '10.0.0.1' }));
  const what = async () =>
    (await verifyExport(await exportOf(server), heads, key)).faults.map(({ seq, what }) => `${seq} ${what}`);
  t.deepEqual(await what(), ['3 tampered']);
  await catalog.write((tx) => tx.delete(auditEntries, id));
  t.deepEqual(await what(), ['3 missing']);
});

test('changes that run side by side stand in one chain', async (t) => {
  const server = await startServer(t);
  await Promise.all(
    Array.from({ length: 30 }, (_, n) => server.ask('POST', '/api/token', { body: { name: `t${n}` } })),
  );
  const { key, heads } = await headsOf(server);
  t.deepEqual((await verifyExport(await exportOf(server), heads, key)).faults, []);
  t.is((await found(server, 'what=CreateToken&limit=100')).length, 30);
});

test('while the audit can not be written, pulls go on and are told of later, and changes are refused', async (t) => {
  const catalog = await ownCatalog();
  const server = await startServer(t, { catalog });
  const { uuid } = await server.image();
  await server.deps.audit.flush();
  const before = await entries(server, 'accesses-');
  const { write } = catalog;
  catalog.write = async () => {
    throw new StorageDown('writing', new Error('EIO'));
  };
  for (let n = 0; n < 3; n++) t.is((await server.ask('GET', `/images/${uuid}/file`)).status, 200);
  await server.deps.audit.flush();
  t.is((await server.ask('POST', `/images/${uuid}?action=update`, { body: { description: 'x' } })).status, 503);
  const ready = await server.ask('GET', '/readyz');
  t.regex(JSON.stringify(ready.json.remarks), /can not be written/);
  const { json } = await server.ask('GET', `/images/${uuid}`);
  t.is(json.description, undefined);
  catalog.write = write;
  await server.deps.audit.flush();
  const told = (await entries(server, 'accesses-')).slice(before.length).map(({ result }) => result);
  t.deepEqual(told, ['whole', 'StorageIsDown']);
  t.is((await entries(server, 'accesses-')).at(-2)?.count, 3);
  t.is((await server.ask('GET', '/readyz')).json.remarks, undefined);
});

test('what could not be told of is written once, even where it had reached the disk after all', async (t) => {
  const catalog = await ownCatalog();
  const server = await startServer(t, { catalog });
  const { uuid } = await server.image();
  await server.ask('GET', `/images/${uuid}/file`);
  const { write } = catalog;
  catalog.write = async (change) => {
    await write.call(catalog, change);
    throw new StorageDown('writing', new Error('EIO'));
  };
  await server.deps.audit.flush();
  catalog.write = write;
  await server.deps.audit.flush();
  t.is((await entries(server, 'accesses-')).length, 1);
});

test('old entries go, a seal stands for them, and what follows is verified as before', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00.000Z');
  const server = await startServer(t, { now: () => new Date(time), auditDays: 30 });
  const { uuid } = await server.image();
  const update = (description: string) =>
    server.ask('POST', `/images/${uuid}?action=update`, { body: { description } });
  await update('old');
  const early = await headsOf(server);
  for (let month = 0; month < 3; month++) {
    time += 31 * 86_400_000;
    await update(`month ${month}`);
    t.is(await sealAudit(server.deps), month === 0 ? (early.heads[0]?.seq ?? 0) : 1);
  }
  t.is(await sealAudit(server.deps), 0);
  const lines = await exportOf(server);
  t.is(lines.filter((line) => 'seal' in line).length, 1);
  t.is((await entries(server)).length, 1);
  const { key, heads } = await headsOf(server);
  t.deepEqual((await verifyExport(lines, heads, key)).faults, []);
  t.deepEqual((await verifyExport(lines, early.heads, key)).faults, []);
  const without = lines.filter((line) => !('seal' in line));
  t.deepEqual(
    (await verifyExport(without, heads, key)).faults.map(({ seq, what }) => `${seq} ${what}`),
    ['1 missing'],
  );
});

test('nothing is sealed where entries are kept for ever', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00.000Z');
  const server = await startServer(t, { now: () => new Date(time) });
  await server.image();
  time += 9000 * 86_400_000;
  const before = await entries(server);
  t.is(await sealAudit(server.deps), 0);
  t.deepEqual(await entries(server), before);
});

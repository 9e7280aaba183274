import test, { type ExecutionContext } from 'ava';
import { type Campaign, campaigns } from '../../server/model/campaign.js';
import { images } from '../../server/model/image.js';
import { nodeImages } from '../../server/model/node-image.js';
import { tasks } from '../../server/model/task.js';
import { openApi } from '../../server/routes/api/openapi.js';
import { routes } from '../../server/routes/table.js';
import type { Kind, Reader } from '../../storage/catalog.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { addMachine, addNodeToken } from '../support/datacenters.js';
import { ownCatalog } from '../support/engines.js';
import { addUser, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { addImage, type Fleet, resultOf, said, startFleet } from '../support/managed.js';
import { remote } from '../support/remote.js';
import type { Answer } from '../support/server.js';

// What is shown has a tag, and whoever sends it along changes what was shown, or nothing.

const TAG = /^"[\w-]{22}"$/;
const STALE = '"AAAAAAAAAAAAAAAAAAAAAA"';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/';

interface Row {
  path: string;
  make(fleet: Fleet): Promise<unknown>;
  /** Two changes that differ; absent where nothing can be changed. */
  changes?: readonly [object, object];
  /** What takes it away: DELETE of the path, unless something else is said. */
  gone?: 'never' | object;
}

const post = (path: string, body: object) => async (fleet: Fleet) => {
  const { status, bytes } = await fleet.root('POST', path, body);
  if (status !== 201) throw new Error(`POST ${path}: ${bytes}`);
};

const campaign: Campaign = {
  ...{ name: 'wave', image: 'none', imageName: 'none', atOnce: 1, until: '2030-01-01T00:00:00.000Z' },
  ...{ state: 'stopped', task: 'none', nodes: 0, created: '2026-01-01T00:00:00.000Z' },
};

const secret = { host: 'example.com', type: 'basic', username: 'ann', value: 'secret' };
// Of what nothing happens here: one that is not taken shows in the webhook.
const hook = { url: NOWHERE, events: ['campaigns.*'] };

const kinds: Record<string, Row> = {
  image: {
    path: '/api/image/base',
    make: (fleet) => addImage(fleet, 'base'),
    changes: [{ desc: 'one' }, { desc: 'two' }],
  },
  'data center': {
    path: '/api/dc/north',
    make: post('/api/dc/north', {}),
    changes: [{ description: 'one' }, { description: 'two' }],
  },
  settings: {
    path: '/api/dc/east/settings',
    make: async () => {},
    changes: [{ VMS_IMAGE_LIMIT: 1 }, { VMS_IMAGE_LIMIT: 2 }],
    gone: 'never',
  },
  user: {
    path: '/api/user/ann',
    make: (fleet) => addUser(fleet, 'ann'),
    changes: [{ display_name: 'One' }, { display_name: 'Two' }],
  },
  group: {
    path: '/api/group/crew',
    make: post('/api/group/crew', {}),
    changes: [{ alias: 'One' }, { users: ['sam'] }],
  },
  repository: {
    path: '/api/repository/far',
    make: post('/api/repository/far', { url: NOWHERE, enabled: false }),
    changes: [{ every: 1 }, { url: `${NOWHERE}other` }],
  },
  follow: {
    path: '/api/follow/latest',
    make: async (fleet) => {
      await post('/api/repository/far', { url: NOWHERE, enabled: false })(fleet);
      await post('/api/follow/latest', { repository: 'far', enabled: false })(fleet);
    },
    changes: [{ match: 'a*' }, { every: 5 }],
  },
  secret: {
    path: '/api/secret/key',
    make: post('/api/secret/key', secret),
    changes: [{ username: 'bob' }, { value: 'other' }],
  },
  'secret of a data center': {
    path: '/api/secret/key?dc=east',
    make: post('/api/secret/key', { ...secret, dc: 'east' }),
    changes: [{ username: 'bob' }, { value: 'other' }],
  },
  webhook: {
    path: '/api/webhook/hook',
    make: post('/api/webhook/hook', hook),
    changes: [{ events: ['images.*'] }, { new_secret: true }],
  },
  'webhook of somebody': {
    path: '/api/webhook/hook?user=eve',
    make: post('/api/webhook/hook', { ...hook, user: 'eve' }),
    changes: [{ events: ['images.*'] }, { active: false }],
  },
  node: {
    path: '/api/node/host',
    make: post('/api/node/host', {}),
    changes: [{ dcs: ['east'] }, { addresses: ['192.0.2.1'] }],
  },
  machine: {
    path: `/api/vm/${numbered(1)}`,
    make: (fleet) => fleet.root('PUT', `/api/vm/${numbered(1)}`, { hostname: 'one', dc: 'east' }),
    changes: [
      { hostname: 'one', dc: 'east', tags: ['a'] },
      { hostname: 'one', dc: 'east', state: 'paused' },
    ],
  },
  campaign: {
    path: '/api/campaign/wave',
    make: ({ deps }) => deps.catalog.write((tx) => tx.insert(campaigns, campaign)),
  },
  token: { path: '/api/token/ci', make: post('/api/token', { name: 'ci', scope: 'read' }) },
  'token of somebody': {
    path: '/api/token/test?user=eve',
    make: async () => {},
  },
};

const ifMatch = (fleet: Fleet, method: string, path: string, tag: string, body?: object): Promise<Answer> =>
  fleet.ask(method, path, { as: 'admin', headers: { 'if-match': tag }, ...(body && { body }) });

const tagOf = ({ headers }: Answer) => headers.etag ?? 'none';

/** A catalog whose next two writes wait for each other, once it is told so: whoever looks before it writes has looked by then. */
async function meeting() {
  const catalog = await ownCatalog();
  let { opened, open } = gate();
  let missing = 0;
  const writes = wrappedCatalog(catalog, {
    write: async (change) => {
      if (missing > 0) {
        missing -= 1;
        if (missing === 0) open();
        await opened;
      }
      return catalog.write(change);
    },
  });
  const meet = () => {
    ({ opened, open } = gate());
    missing = 2;
  };
  return { catalog: writes, meet };
}

async function stands(t: ExecutionContext, { root }: Fleet, path: string): Promise<{ tag: string; shown: unknown }> {
  const answer = await root('GET', path);
  t.is(answer.status, 200, path);
  t.regex(tagOf(answer), TAG, path);
  return { tag: tagOf(answer), shown: answer.json.result };
}

for (const [kind, { path, make, changes, gone }] of Object.entries(kinds)) {
  if (changes) {
    const [one, other] = changes;

    test(`${kind}: what somebody else has changed is not overwritten`, async (t) => {
      const fleet = await startFleet(t);
      await make(fleet);
      const seen = await stands(t, fleet, path);
      t.deepEqual(await stands(t, fleet, path), seen, 'a look changes nothing');
      const first = await fleet.root('PUT', path, one);
      t.is(first.status, 200);
      const now = await stands(t, fleet, path);
      t.not(now.tag, seen.tag);
      t.is(tagOf(first), now.tag, 'a change tells the tag that it leaves');

      const refused = await ifMatch(fleet, 'PUT', path, seen.tag, other);
      t.is(said(refused), '412 PreconditionFailed');
      t.is(tagOf(refused), now.tag, 'the refusal tells the current tag');
      t.deepEqual(await stands(t, fleet, path), now);

      const done = await ifMatch(fleet, 'PUT', path, now.tag, other);
      t.is(done.status, 200);
      const after = await stands(t, fleet, path);
      t.not(after.tag, now.tag);
      t.is(tagOf(done), after.tag);
      t.is((await ifMatch(fleet, 'PUT', path, after.tag, one)).status, 200, 'and so on');
    });

    test(`${kind}: of two changes at once of what both have seen, one is made`, async (t) => {
      const { catalog, meet } = await meeting();
      const fleet = await startFleet(t, { catalog });
      await make(fleet);
      const { tag } = await stands(t, fleet, path);
      meet();
      const answers = await Promise.all([one, other].map((body) => ifMatch(fleet, 'PUT', path, tag, body)));
      t.deepEqual(answers.map(said).sort(), ['200', '412 PreconditionFailed']);
      const winner = answers.find(({ status }) => status === 200);
      t.is((await stands(t, fleet, path)).tag, tagOf(winner!));
    });
  }

  if (gone !== 'never') {
    test(`${kind}: what somebody else has changed is not taken away`, async (t) => {
      const fleet = await startFleet(t);
      await make(fleet);
      const seen = await stands(t, fleet, path);
      if (changes) await fleet.root('PUT', path, changes[0]);
      const now = await stands(t, fleet, path);
      const refused = await ifMatch(fleet, 'DELETE', path, changes ? seen.tag : STALE);
      t.is(said(refused), '412 PreconditionFailed');
      t.is(tagOf(refused), now.tag);
      t.deepEqual(await stands(t, fleet, path), now);

      const done = await ifMatch(fleet, 'DELETE', path, `${STALE}, ${now.tag}`);
      t.is(done.status, 200);
      t.is(done.headers.etag, undefined, 'what is gone has no tag');
      t.is(said(await fleet.root('GET', path)), '404 ResourceNotFound');
      t.is(said(await ifMatch(fleet, 'DELETE', path, '*')), '404 ResourceNotFound');
    });

    test(`${kind}: of two that take it away at once, one does`, async (t) => {
      const fleet = await startFleet(t);
      await make(fleet);
      const { tag } = await stands(t, fleet, path);
      const answers = await Promise.all([1, 2].map(() => ifMatch(fleet, 'DELETE', path, tag)));
      t.deepEqual(answers.map(said).sort(), ['200', '404 ResourceNotFound']);
    });
  }

  test(`${kind}: to whoever may not change it If-Match makes no difference`, async (t) => {
    const fleet = await startFleet(t);
    await make(fleet);
    const { tag } = await stands(t, fleet, path);
    const methods = [...(changes ? ['PUT'] : []), ...(gone === 'never' ? [] : ['DELETE'])];
    for (const name of ['will', 'mia', 'sam']) {
      for (const method of methods) {
        const asking = async (more: Record<string, string>) => {
          const headers = { authorization: `Bearer token-of-${name}`, ...more };
          const answer = await fleet.ask(method, path, {
            headers,
            ...(method === 'PUT' && { body: changes?.[0] ?? {} }),
          });
          return { said: said(answer), message: answer.json.message, etag: answer.headers.etag };
        };
        const without = await asking({});
        t.regex(without.said, /^40[346] /);
        for (const sent of [tag, STALE, '*'])
          t.deepEqual(await asking({ 'if-match': sent }), without, `${name} ${method}`);
      }
    }
    t.is((await stands(t, fleet, path)).tag, tag);
  });
}

test('what is hidden and what is absent are refused in the same words, with and without If-Match', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  const { tag } = await stands(t, fleet, '/api/image/base');
  const will = { authorization: 'Bearer token-of-will' };
  const body = { desc: 'mine' };
  const sent: Record<string, string>[] = [{}, ...[tag, STALE, '*'].map((one) => ({ 'if-match': one }))];
  for (const [method, what] of [
    ['PUT', { body }],
    ['DELETE', {}],
  ] as const) {
    const answers = [];
    for (const name of ['base', 'none']) {
      for (const more of sent) {
        const path = `/api/image/${name}`;
        const { status, bytes, headers } = await fleet.ask(method, path, { ...what, headers: { ...will, ...more } });
        answers.push({ status, text: bytes.toString().replaceAll(name, 'NAME'), etag: headers.etag });
      }
    }
    t.is(answers[0]?.status, 404);
    for (const answer of answers) t.deepEqual(answer, answers[0]);
  }
});

// biome-ignore format: a table is read down its columns
const headers: [header: (tag: string) => string, outcome: string][] = [
  [(tag) => tag,                     '200'],
  [() => '*',                        '200'],
  [() => ' * ',                      '200'],
  [(tag) => `${STALE},${tag}`,       '200'],
  [(tag) => `${tag} , ${STALE}`,     '200'],
  [(tag) => `,, ${tag},`,            '200'],
  [(tag) => `W/${tag}`,              '200'],
  [() => STALE,                      '412 PreconditionFailed'],
  [() => '""',                       '412 PreconditionFailed'],
  [() => '"a,b", "*"',               '412 PreconditionFailed'],
  [(tag) => tag.slice(1, -1),        '400 InvalidInput If-Match'],
  [(tag) => tag.slice(0, -1),        '400 InvalidInput If-Match'],
  [(tag) => `${tag} ${STALE}`,       '400 InvalidInput If-Match'],
  [(tag) => `${tag}, *`,             '400 InvalidInput If-Match'],
  [(tag) => `w/${tag}`,              '400 InvalidInput If-Match'],
  [() => '',                         '400 InvalidInput If-Match'],
  [() => ',',                        '400 InvalidInput If-Match'],
  [() => '"a b"',                    '400 InvalidInput If-Match'],
];

test('If-Match is a tag, several, or *', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  for (const [header, outcome] of headers) {
    const { tag } = await stands(t, fleet, '/api/image/base');
    const sent = header(tag);
    t.is(said(await ifMatch(fleet, 'PUT', '/api/image/base', sent, { desc: 'changed' })), outcome, sent);
    t.is((await stands(t, fleet, '/api/image/base')).tag === tag, outcome !== '200', sent);
  }
});

test('it is held against what is shown, too', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  const { tag } = await stands(t, fleet, '/api/image/base');
  t.is(said(await ifMatch(fleet, 'GET', '/api/image/base', tag)), '200');
  t.is(said(await ifMatch(fleet, 'GET', '/api/image/base', STALE)), '412 PreconditionFailed');
});

const MACHINE = `/api/vm/${numbered(1)}`;

const asNew = (fleet: Fleet, hostname: string, more: Record<string, string> = {}): Promise<Answer> =>
  fleet.ask('PUT', MACHINE, {
    as: 'admin',
    headers: { 'if-none-match': '*', ...more },
    body: { hostname, dc: 'east' },
  });

test('what a PUT makes is made only where it is not there yet, by whoever says so', async (t) => {
  const fleet = await startFleet(t);
  const checkOnly = { 'x-check-only': 'true' };
  t.is(said(await asNew(fleet, 'one', checkOnly)), '204');
  t.is(said(await fleet.root('GET', MACHINE)), '404 ResourceNotFound');
  const made = await asNew(fleet, 'one');
  t.is(made.status, 200);
  const now = await stands(t, fleet, MACHINE);
  t.is(tagOf(made), now.tag);
  for (const more of [{}, checkOnly]) {
    const refused = await asNew(fleet, 'two', more);
    t.is(said(refused), '412 PreconditionFailed');
    t.is(tagOf(refused), now.tag, 'the tag of what is there');
  }
  t.deepEqual(await stands(t, fleet, MACHINE), now);
  t.is((await fleet.root('DELETE', MACHINE)).status, 200);
  t.is(said(await asNew(fleet, 'two')), '200', 'and again when it is gone');
});

test('of two who make the same at once, one does', async (t) => {
  const { catalog, meet } = await meeting();
  const fleet = await startFleet(t, { catalog });
  meet();
  const answers = await Promise.all(['one', 'two'].map((hostname) => asNew(fleet, hostname)));
  t.deepEqual(answers.map(said).sort(), ['200', '412 PreconditionFailed']);
  const now = await stands(t, fleet, MACHINE);
  t.deepEqual(answers.map(tagOf), [now.tag, now.tag]);
  t.deepEqual(now.shown, answers.find(({ status }) => status === 200)?.json.result);
});

test('whoever does not see what is there is refused in the same words with and without If-None-Match', async (t) => {
  const fleet = await startFleet(t);
  t.is((await asNew(fleet, 'one')).status, 200);
  for (const name of ['will', 'mia', 'sam']) {
    const asking = async (more: Record<string, string>) => {
      const headers = { authorization: `Bearer token-of-${name}`, ...more };
      const answer = await fleet.ask('PUT', MACHINE, { headers, body: { hostname: 'two', dc: 'west' } });
      return { said: said(answer), message: answer.json.message, etag: answer.headers.etag };
    };
    const without = await asking({});
    t.regex(without.said, /^40[36] /);
    t.deepEqual(await asking({ 'if-none-match': '*' }), without, name);
  }
});

test('If-None-Match is *, and is refused where it would not help', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  const refused = '400 InvalidInput If-None-Match';
  for (const sent of [STALE, `*, ${STALE}`, ''])
    t.is(said(await asNew(fleet, 'one', { 'if-none-match': sent })), refused);
  t.is(said(await asNew(fleet, 'one', { 'if-match': '*' })), refused);
  t.is(said(await fleet.root('GET', MACHINE)), '404 ResourceNotFound');
  const before = await stands(t, fleet, '/api/image/base');
  for (const [method, path, body] of [
    ['PUT', '/api/image/base', { desc: 'other' }],
    ['DELETE', '/api/image/base', undefined],
    ['POST', '/api/group/crew', {}],
    ['DELETE', MACHINE, undefined],
  ] as const) {
    const headers = { 'if-none-match': '*' };
    t.is(said(await fleet.ask(method, path, { as: 'admin', headers, ...(body && { body }) })), refused, path);
  }
  t.is(said(await fleet.root('GET', '/api/group/crew')), '404 ResourceNotFound');
  t.deepEqual(await stands(t, fleet, '/api/image/base'), before);
  const read = await fleet.ask('GET', '/api/image/base', { as: 'admin', headers: { 'if-none-match': before.tag } });
  t.is(read.status, 200, 'reads are answered anew');
});

test('where nothing has a tag, If-Match is refused and nothing is done', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  const without = routes.filter(({ description }) => description && !description.tagged);
  t.true(without.length > 50);
  for (const { method, path } of without) {
    const target = path.replace('/image/:name', '/image/base').replace(/:uuid/, numbered(1)).replace(/:\w+/g, 'some');
    const answer = await ifMatch(fleet, method, target, '*', method === 'GET' ? undefined : {});
    if (method === 'HEAD') t.is(answer.status, 400, path);
    else t.is(said(answer), '400 InvalidInput If-Match', `${method} ${path}`);
  }
  t.deepEqual(resultOf(await fleet.root('GET', '/api/image')), ['base']);
});

/** One object, which is put or deleted under the path that shows it, and has no tag all the same: why. */
const untagged: Record<string, string> = {
  '/api/imagestore/:repo': 'PUT is a refresh, which sets nothing',
  '/api/node/:host/storage/:pool/image/:name': 'what is there is known by looking',
};

test('whatever can be looked at and changed under the same path has a tag', (t) => {
  const at = (path: string) => routes.filter((route) => route.path === path);
  const shown = routes.filter(
    ({ method, path, description }) => method === 'GET' && description && !/\/[a-z]+$/.test(path),
  );
  const alone = [...shown, ...at('/api/dc/:dc/settings').filter(({ method }) => method === 'GET')];
  for (const { path, description } of alone) {
    const changing = at(path).filter(({ method }) => method === 'PUT' || method === 'DELETE');
    if (changing.length === 0) continue;
    if (path in untagged) {
      t.deepEqual([description?.tagged, changing[0]?.description?.tagged], [undefined, undefined], path);
      continue;
    }
    t.is(description?.tagged, 'shown', path);
    for (const one of changing) t.is(one.description?.tagged, 'changed', `${one.method} ${path}`);
  }
});

test('whole objects in lists have the tags that they have alone', async (t) => {
  const fleet = await startFleet(t);
  const { repository, secret, ...others } = kinds;
  for (const { make } of Object.values(others)) await make(fleet);
  const lists = ['image', 'dc/east/image', 'dc', 'user', 'group', 'dc/east/group', 'repository', 'follow'];
  for (const list of [...lists, 'secret', 'webhook', 'node', 'campaign', 'token', 'vm']) {
    const found = resultOf<{ name: string; uuid: string; etag: string; user?: string; dc?: string | null }[]>(
      await fleet.root('GET', `/api/${list}?full=true`),
    );
    t.true(found.length > 0, list);
    for (const { uuid, name = uuid, etag, user, dc } of found) {
      const whose = ['webhook', 'token'].includes(list) ? `?user=${user}` : '';
      const where = list === 'secret' && dc ? `?dc=${dc}` : '';
      t.is((await stands(t, fleet, `/api/${list}/${name}${whose}${where}`)).tag, etag, `${list} ${name}`);
    }
  }
});

test('the tag of an image is of what is stored of it, whoever changes that, and of nothing that is looked up', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'base');
  const { tag } = await stands(t, fleet, '/api/image/base');
  t.is((await stands(t, fleet, `/api/image/${uuid}`)).tag, tag);
  t.is((await stands(t, fleet, '/api/dc/east/image/base')).tag, tag);
  t.is(tagOf(await fleet.eve('GET', '/api/image/base')), tag, 'to everybody');

  await addMachine(fleet, { hostname: 'web', datacenter: 'east', images: [{ image: uuid }] as never });
  await fleet.root('PUT', '/api/user/eve', { display_name: 'Eve' });
  const looked = await stands(t, fleet, '/api/image/base');
  t.like(looked, { tag, shown: { vms: 1 } });

  const updated = await fleet.ask('POST', `/images/${uuid}?action=update`, { body: { description: 'by a node' } });
  t.is(updated.status, 200);
  const later = await stands(t, fleet, '/api/image/base');
  t.not(later.tag, tag);
  t.is(said(await ifMatch(fleet, 'PUT', '/api/image/base', tag, { desc: 'mine' })), '412 PreconditionFailed');
  t.deepEqual(await stands(t, fleet, '/api/image/base'), later);
});

test('what somebody has changed meanwhile is told of before anything else that refuses a change', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  const path = '/api/image/base';
  const { tag } = await stands(t, fleet, path);
  const deprecated = await ifMatch(fleet, 'PUT', `${path}/deprecate`, tag, { reason: 'old' });
  t.is(deprecated.status, 200);
  const now = await stands(t, fleet, path);
  t.is(tagOf(deprecated), now.tag);
  t.is(said(await ifMatch(fleet, 'DELETE', `${path}/deprecate`, tag)), '412 PreconditionFailed');
  t.is((await ifMatch(fleet, 'DELETE', `${path}/deprecate`, now.tag)).status, 200);
  const back = await stands(t, fleet, path);
  t.is(said(await ifMatch(fleet, 'DELETE', `${path}/deprecate`, now.tag)), '412 PreconditionFailed', 'not 409');
  t.is(said(await ifMatch(fleet, 'DELETE', `${path}/deprecate`, back.tag)), '409 AlreadyDone');

  await post('/api/secret/key', secret)(fleet);
  const known = await stands(t, fleet, '/api/secret/key');
  const incomplete = { host: 'other.example.com' };
  t.is(said(await ifMatch(fleet, 'PUT', '/api/secret/key', STALE, incomplete)), '412 PreconditionFailed');
  t.is(said(await ifMatch(fleet, 'PUT', '/api/secret/key', known.tag, incomplete)), '400 InvalidInput value');
});

test('where an image or a group stands is changed by who has seen it', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'base');
  await post('/api/group/crew', {})(fleet);
  for (const [alone, there] of [
    ['/api/image/base', '/api/dc/west/image/base'],
    ['/api/group/crew', '/api/dc/west/group/crew'],
  ] as const) {
    const { tag } = await stands(t, fleet, alone);
    t.is(said(await ifMatch(fleet, 'POST', there, STALE, {})), '412 PreconditionFailed');
    t.is(said(await fleet.root('GET', there)), '404 ResourceNotFound');
    const attached = await ifMatch(fleet, 'POST', there, tag, {});
    t.is(attached.status, 201);
    const now = await stands(t, fleet, there);
    t.is(tagOf(attached), now.tag);
    t.is(said(await ifMatch(fleet, 'DELETE', there, tag)), '412 PreconditionFailed');
    t.deepEqual(await stands(t, fleet, there), now);
    t.is((await ifMatch(fleet, 'DELETE', there, now.tag)).status, 200);
    t.is(said(await fleet.root('GET', there)), '404 ResourceNotFound');
  }
});

test('a deletion that becomes a task is refused before there is one', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'base');
  await addNodeToken(fleet, 'host', ['east']);
  const changed = fleet.deps.now().toISOString();
  const copy = { node: 'host', pool: 'zones', image: uuid, state: 'ready', changed } as const;
  await fleet.deps.catalog.write((tx) => tx.insert(nodeImages, copy));
  const { tag } = await stands(t, fleet, '/api/image/base');
  await fleet.root('PUT', '/api/image/base', { desc: 'other' });
  const before = await fleet.stored(uuid);

  t.is(said(await ifMatch(fleet, 'DELETE', '/api/image/base', tag)), '412 PreconditionFailed');
  t.deepEqual(await fleet.stored(uuid), before);
  for await (const { what } of fleet.deps.catalog.list(tasks)) t.not(what, 'delete image');

  const now = await stands(t, fleet, '/api/image/base');
  const started = await ifMatch(fleet, 'DELETE', '/api/image/base', now.tag);
  t.is(started.status, 201);
  t.like(started.json, { status: 'PENDING' });
  const leaving = await stands(t, fleet, '/api/image/base');
  t.is(tagOf(started), leaving.tag, 'it is there until no node has it');
  t.like(leaving.shown, { pending: { what: 'delete' } });
  await fleet.root('PUT', `/api/task/${started.json.task_id}/cancel`, {});
});

test('a campaign is stopped, started and forgotten by who has seen how it stands', async (t) => {
  const fleet = await startFleet(t);
  const { deps } = fleet;
  const path = '/api/campaign/wave';
  await deps.catalog.write((tx) => tx.insert(campaigns, campaign));
  const { tag } = await stands(t, fleet, path);
  await deps.catalog.write((tx) => tx.replace(campaigns, { ...campaign, state: 'done' }));
  const before = await stands(t, fleet, path);
  for (const action of ['stop', 'start', 'retry']) {
    t.is(said(await ifMatch(fleet, 'PUT', path, tag, { action })), '412 PreconditionFailed', action);
    t.is(said(await ifMatch(fleet, 'PUT', path, before.tag, { action })), '409 AlreadyDone', action);
  }
  t.deepEqual(await stands(t, fleet, path), before);
});

test('that a repository or a follow was asked does not change it, however that went', async (t) => {
  const fleet = await startFleet(t);
  const far = await remote(t, {
    'GET /images': [{ v: 2, uuid: numbered(1), name: 'a', version: '1', os: 'linux', type: 'zvol', files: [] }],
  });
  await post('/api/repository/far', { url: far.url })(fleet);
  await post('/api/repository/gone', { url: NOWHERE })(fleet);
  await post('/api/follow/latest', { repository: 'far', match: 'nothing', shared: true })(fleet);
  const paths = ['/api/repository/far', '/api/repository/gone', '/api/follow/latest'];
  const before = await Promise.all(paths.map((path) => stands(t, fleet, path)));

  t.is((await fleet.root('PUT', '/api/imagestore/far')).status, 200);
  t.is((await fleet.root('PUT', '/api/imagestore/gone')).status, 400);
  t.is((await fleet.root('POST', '/api/follow/latest/run')).status, 201);
  for (const [index, path] of paths.entries()) {
    const { tag = '', shown } = before[index] ?? {};
    const after = await stands(t, fleet, path);
    t.is(after.tag, tag, path);
    t.notDeepEqual(after.shown, shown, `${path}: it tells of it all the same`);
    t.is((await ifMatch(fleet, 'PUT', path, tag, { every: 5 })).status, 200, path);
    t.not((await stands(t, fleet, path)).tag, after.tag, path);
  }
});

test('of two changes of a secret at once none is lost', async (t) => {
  const { catalog, meet } = await meeting();
  const fleet = await startFleet(t, { catalog });
  await post('/api/secret/key', secret)(fleet);
  for (const [one, other] of [
    [{ username: 'bob' }, { value: 'new' }],
    [{ value: 'newer' }, { username: 'eve' }],
  ] as const) {
    const before = await stands(t, fleet, '/api/secret/key');
    meet();
    const answers = await Promise.all([one, other].map((body) => fleet.root('PUT', '/api/secret/key', body)));
    t.deepEqual(answers.map(said).sort(), ['200', '423 Busy']);
    t.is((await stands(t, fleet, '/api/secret/key')).tag, tagOf(answers.find(({ status }) => status === 200)!));
    t.not((await stands(t, fleet, '/api/secret/key')).tag, before.tag);
  }
});

test('that a token was used does not change it', async (t) => {
  const fleet = await startFleet(t);
  const path = '/api/token/test?user=eve';
  const { tag } = await stands(t, fleet, path);
  await fleet.eve('GET', '/api/image');
  await fleet.deps.uses.flush(fleet.deps.catalog);
  const used = await stands(t, fleet, path);
  t.is(used.tag, tag);
  t.not(Object(used.shown).last_used, null);
});

test('lists of whole images read each record once', async (t) => {
  const catalog = await ownCatalog();
  let reads = 0;
  const counting = wrappedCatalog(catalog, {
    get: <T>(kind: Kind<T>, id: string) => {
      if (kind.name === images.name) reads += 1;
      return catalog.get(kind, id) as ReturnType<Reader['get']> as Promise<T | undefined>;
    },
  });
  const fleet = await startFleet(t, { catalog: counting });
  for (const name of ['one', 'two', 'three']) await addImage(fleet, name);
  reads = 0;
  const found = resultOf<{ etag: string }[]>(await fleet.root('GET', '/api/image?full=true'));
  t.is(new Set(found.map(({ etag }) => etag)).size, 3);
  t.is(reads, 3);
});

test('the document tells which calls take If-Match and tell tags', (t) => {
  const { paths } = openApi(routes);
  for (const { method, path, description } of routes) {
    if (!description) continue;
    const operation = Object(paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]);
    const header = operation.parameters?.find(({ name }: { name: string }) => name === 'If-Match');
    const tags = [description.status, 412].map((status) => operation.responses[status]?.headers?.ETag !== undefined);
    t.is(header?.required, description.tagged ? false : undefined, `${method} ${path}`);
    const none = operation.parameters?.find(({ name }: { name: string }) => name === 'If-None-Match');
    t.is(none?.required, description.makes ? false : undefined, `${method} ${path}`);
    t.deepEqual(tags, [description.tagged !== undefined, description.tagged !== undefined], `${method} ${path}`);
  }
});

import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { type Task, type TaskStatus, tasks } from '../../server/model/task.js';
import { addUser, numbered } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const from = { kind: 'imgapi', url: 'https://secret.example.com', channel: 'dev', access: { trusted: true } };

/** A task that has imported what an image builds on, and has failed at the image itself. */
const job = (image: string, number: number, more: Partial<Task> = {}): Task => ({
  id: numbered(1000 - number),
  what: 'import',
  who: { name: 'somebody' },
  objects: [
    { kind: 'images', id: image, name: 'sample' },
    { kind: 'images', id: numbered(5), name: 'origin' },
  ],
  status: 'FAILURE',
  created: `2030-01-01T00:00:0${number}.000Z`,
  started: '2030-01-01',
  finished: '2030-01-03',
  params: { steps: [numbered(5), image].map((uuid) => ({ uuid, from, file: { compression: 'none' } })) },
  steps: [{ name: 'import image', started: '2030-01-01', finished: '2030-01-02' }],
  result: { code: 'Download', detail: 'broken' },
  ...more,
});

const chain = [
  { name: 'import image', result: 'OK', error: '', started_at: '2030-01-01', finished_at: '2030-01-02' },
  {
    name: 'import image',
    result: '',
    error: { message: 'broken' },
    started_at: '2030-01-02',
    finished_at: '2030-01-03',
  },
];

const add = ({ deps }: TestServer, ...records: Task[]) =>
  deps.catalog.write(async (tx) => {
    for (const record of records) await tx.insert(tasks, record);
  });

for (const mode of ['dc', 'public', 'private'] as const satisfies Mode[]) {
  test(`${mode}: an image without jobs has an empty list (D-01)`, async (t) => {
    const { ask, image } = await startServer(t, { mode });
    const { uuid } = await image();
    const { status, headers, bytes } = await ask('GET', `/images/${uuid}/jobs`);
    t.is(status, 200);
    t.is(bytes.toString(), '[]');
    t.is(headers['content-type'], 'application/json');
    t.is(headers.etag, undefined);
  });
}

test('the jobs of an image, oldest first, without those of others', async (t) => {
  const server = await startServer(t);
  const [one, other] = [await server.image(), await server.image()];
  await add(server, job(one.uuid, 3), job(one.uuid, 1), job(other.uuid, 2));
  const { list } = await server.ask('GET', `/images/${one.uuid}/jobs`, { as: 'admin' });
  t.deepEqual(
    list.map(({ uuid }) => uuid),
    [numbered(999), numbered(997)],
  );
  t.deepEqual(list[0] as object, {
    uuid: numbered(999),
    name: 'import-remote-image',
    execution: 'failed',
    params: { image_uuid: one.uuid, source: 'https://secret.example.com?channel=dev' },
    image_uuid: one.uuid,
    created_at: '2030-01-01T00:00:01.000Z',
    chain_results: chain,
  });
});

test('parameters may hold secrets, so only operators get them', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const { uuid } = await server.image();
  await add(server, job(uuid, 1));
  for (const headers of [{}, user.headers, { authorization: 'Bearer nonsense' }]) {
    const { list, bytes } = await server.ask('GET', `/images/${uuid}/jobs`, { headers });
    t.is(list.length, 1);
    t.false('params' in list[0]!);
    t.false(bytes.includes('secret'));
    t.deepEqual(list[0]?.chain_results as unknown, chain);
  }
});

const filters = table<'query' | 'found'>(`
  query                                        found
  -                                            1 2 3 4 5
  ?execution=succeeded                         1
  ?execution=failed                            2
  ?execution=queued                            3
  ?execution=running                           4
  ?execution=canceled                          5
  ?execution=nonsense                          -
  ?task=import-remote-image                    1 2 3 4 5
  ?task=create-from-vm                         -
  ?task=nonsense                               -
  ?task=create-from-vm&execution=failed        -
  ?task=import-remote-image&execution=failed   2
  ?unknown=1                                   1 2 3 4 5
`);

test('jobs by task and by how they went', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const statuses: TaskStatus[] = ['SUCCESS', 'FAILURE', 'PENDING', 'STARTED', 'REVOKED'];
  const records = statuses.map((status, index) => job(uuid, index + 1, { status }));
  const other = job(uuid, 6, { what: 'bulk images' });
  await add(server, ...records, other);
  for (const { query, found } of filters) {
    const { list } = await server.ask('GET', `/images/${uuid}/jobs${query}`);
    const numbers = list.map((shown) => records.findIndex((record) => record.id === shown.uuid) + 1);
    t.is(numbers.join(' '), found, query);
  }
  t.is(told(await server.ask('GET', `/images/${uuid}/jobs?task=a&task=b`)), '422 InvalidParameter task:Invalid');
});

test('a job is polled by whoever knows of it, to its end', async (t) => {
  const server = await startServer(t);
  await add(server, job(numbered(7), 1), job(numbered(7), 2, { status: 'REVOKED', what: 'bulk images' }));
  const { status, json } = await server.ask('GET', `/jobs/${numbered(999)}`);
  t.is(status, 200);
  t.like(json, { execution: 'failed', image_uuid: numbered(7) });
  t.deepEqual(json.chain_results, chain);
  t.false('params' in json);
  const { json: whole } = await server.ask('GET', `/jobs/${numbered(999)}`, { as: 'admin' });
  t.like(whole.params as object, { source: 'https://secret.example.com?channel=dev' });
  for (const uuid of [numbered(998), numbered(3), 'nonsense']) {
    t.is(told(await server.ask('GET', `/jobs/${uuid}`)), '404 ResourceNotFound', 'no job, or none of the IMGAPI');
  }
});

const access = table<'image' | 'caller' | 'query' | 'told'>(`
  image        caller     query            told
  malformed    admin      -                404 ResourceNotFound
  absent       admin      -                404 ResourceNotFound
  absent       admin      ?channel=nope    422 ValidationFailed channel:Invalid
  public       anonymous  -                200
  public       anonymous  ?channel=*       200
  public       anonymous  ?channel=dev     200
  public       anonymous  ?channel=release  404 ResourceNotFound
  private      anonymous  -                404 ResourceNotFound
  private      admin      -                200
  private      admin      ?account=SOMEONE  404 ResourceNotFound
  unactivated  anonymous  -                404 ResourceNotFound
  unactivated  admin      -                200
  public       admin      ?account=SOMEONE  200
  public       admin      ?account=bad     422 InvalidParameter account:Invalid
  public       anonymous  ?account=SOMEONE  403 OperatorOnly
`);

test('the jobs of an image are for those who see the image', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    public: (await server.image()).uuid,
    private: (await server.image({ public: false })).uuid,
    unactivated: (await server.image({}, { activate: false })).uuid,
  };
  for (const { image, caller, query, told: expected } of access) {
    const path = `/images/${uuids[image]}/jobs${query.replace('SOMEONE', numbered(8))}`;
    const answer = await server.ask('GET', path, { as: caller === 'admin' ? 'admin' : 'anonymous' });
    t.is(told(answer), expected, [image, caller, query].join(' '));
  }
});

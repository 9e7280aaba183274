import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { nodes } from '../../server/model/node.js';
import { addDatacenter, addMachine } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { kept, told } from '../support/told.js';

const modes: Mode[] = ['dc', 'public', 'private'];
const channels = [{ name: 'dev', description: '', default: true }];
const VM = numbered(3);

const refused = table<'query' | 'told'>(`
  query                                                        told
  import-docker-image&repo=busybox&tag=latest&account=ACCOUNT  403 OperatorOnly
  import-docker-image&account=ACCOUNT                          403 OperatorOnly
  import-docker-image&account=nonsense                         422 InvalidParameter account:Invalid
  import-docker-image                                          422 ValidationFailed repo:MissingParameter
  import-docker-image&repo=                                    422 ValidationFailed repo:MissingParameter
  import-docker-image&tag=latest&digest=x                      422 ValidationFailed repo:MissingParameter
  import-docker-image&repo=busybox                             422 ValidationFailed tag:MissingParameter
  import-docker-image&repo=busybox&tag=                        422 ValidationFailed tag:MissingParameter
  import-docker-image&repo=%20%21                              422 ValidationFailed tag:MissingParameter
  import-docker-image&repo=busybox&tag=latest&digest=sha256:x  422 ValidationFailed digest:Invalid
  import-docker-image&repo=%20%21&tag=latest&digest=sha256:x   422 ValidationFailed digest:Invalid
  import-docker-image&repo=%20%21&tag=latest                   422 ValidationFailed repo:Invalid
  import-docker-image&repo=a&repo=b&tag=latest                 422 InvalidParameter repo:Invalid
  import-docker-image&repo=busybox:1&tag=latest                422 ValidationFailed repo:Invalid
  import-docker-image&repo=https://a.example/b&tag=latest      422 ValidationFailed repo:Invalid
  import-docker-image&repo=a.example/../b&tag=latest           422 ValidationFailed repo:Invalid
  import-docker-image&repo=busybox&tag=../x                    422 ValidationFailed tag:Invalid
  import-docker-image&repo=busybox&digest=sha256:x             422 ValidationFailed digest:Invalid
  import-docker-image&repo=busybox&tag=latest&public=x         422 InvalidParameter public:Invalid
  import-docker-image&repo=busybox&tag=latest&channel=nope     422 ValidationFailed channel:Invalid
  import-lxd-image&account=ACCOUNT                             403 OperatorOnly
  import-lxd-image&account=ACCOUNT&channel=nope                403 OperatorOnly
  import-lxd-image                                             422 ValidationFailed alias:MissingParameter
  import-lxd-image&alias=                                      422 ValidationFailed alias:MissingParameter
  import-lxd-image&alias=ubuntu                                422 InvalidParameter alias:InvalidParameter
  import-lxd-image&alias=a:b&alias=c:d                         422 InvalidParameter alias:Invalid
`);

test('what the contract refuses, and what there is nothing for', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode, channels });
    const user = await addUser(server, 'someone');
    for (const { query, told: expected } of refused) {
      const path = `/images?action=${query.replace('ACCOUNT', user.uuid).replace('VM', VM)}`;
      for (const options of [{}, { body: { name: 'x', version: '1' } }]) {
        t.is(told(await server.ask('POST', path, options)), expected, `${mode} ${query}`);
      }
    }
    t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
  }
});

const ofMachines = table<'query' | 'told'>(`
  query                                        told
  create-from-vm                               422 ValidationFailed vm_uuid:MissingParameter
  create-from-vm&vm_uuid=                      422 ValidationFailed vm_uuid:MissingParameter
  create-from-vm&vm_uuid=nonsense              422 InvalidParameter vm_uuid:Invalid
  create-from-vm&vm_uuid=VM                    422 InvalidParameter vm_uuid:Invalid
  create-from-vm&vm_uuid=VM&account=ACCOUNT    422 InvalidParameter vm_uuid:Invalid
  create-from-vm&vm_uuid=VM&incremental=maybe  422 InvalidParameter incremental:Invalid
  create-from-vm&vm_uuid=HERE&max_origin_depth=x  422 InvalidParameter max_origin_depth:Invalid
  create-from-vm&vm_uuid=HERE&max_origin_depth=1  422 InvalidParameter max_origin_depth:Invalid
`);

test('images of machines: where there are data centers', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode, channels });
    const user = await addUser(server, 'someone');
    await addDatacenter(server, 'D');
    const node = { name: 'n', datacenters: ['D'], addresses: [], knownByAddress: false, created: '' };
    await server.deps.catalog.write((tx) => tx.insert(nodes, node));
    const here = await addMachine(server, { hostname: 'here', datacenter: 'D', node: 'n' });
    const body = { name: 'x', version: '1' };
    for (const { query, told: expected } of ofMachines) {
      const path = `/images?action=${query.replace('ACCOUNT', user.uuid).replace('VM', VM).replace('HERE', here.uuid)}`;
      const answer = await server.ask('POST', path, { body });
      t.is(told(answer), mode === 'dc' ? expected : '501 NotAvailable', `${mode} ${query}`);
    }
    const of = `/images?action=create-from-vm&vm_uuid=${here.uuid}`;
    const refused: [body: object, told: string][] = [
      [{}, '422 ValidationFailed name:MissingParameter version:MissingParameter'],
      [{ ...body, os: 'linux' }, '422 InvalidParameter os:Invalid'],
      [{ ...body, uuid: 'x' }, '422 InvalidParameter uuid:Invalid'],
      [{ ...body, owner: VM }, '422 OwnerDoesNotExist'],
      [body, '422 NodeNotManaged'],
    ];
    for (const [sent, expected] of mode === 'dc' ? refused : []) {
      t.is(told(await server.ask('POST', of, { body: sent })), expected, JSON.stringify(sent));
    }
    if (mode === 'dc') t.is(told(await server.ask('POST', of)), '422 ValidationFailed body:MissingParameter');
    t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
  }
});

const lines = table<'query' | 'line'>(`
  query                                                            line
  import-docker-image&repo=127.0.0.1:1/busybox&tag=latest          {"id": "127.0.0.1:1/busybox"}
  import-docker-image&repo=localhost:1/a/b_c.d-e&digest=DIGEST     {"id": "localhost:1/a/b_c.d-e"}
  import-docker-image&repo=127.0.0.1:1/x&tag=latest&public=false   {"id": "127.0.0.1:1/x"}
  import-lxd-image&alias=images:alpine/3.18                        {"alias": "images:alpine/3.18"}
  import-lxd-image&alias=nowhere:x                                 {"alias": "nowhere:x"}
`);

test('registries: what fails is a line of the stream', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    for (const { query: spelled, line } of lines) {
      const query = spelled.replace('DIGEST', `sha256:${'0'.repeat(64)}`);
      const headers = { 'x-registry-auth': 'nonsense', 'x-registry-config': 'e30=' };
      const { status, headers: answered, bytes } = await server.ask('POST', `/images?action=${query}`, { headers });
      t.is(status, 200, query);
      t.is(answered['content-type'], 'application/json');
      t.is(answered.etag, undefined);
      const text = bytes.toString();
      t.true(text.endsWith('}\r\n'), query);
      const { error, ...rest } = JSON.parse(text);
      t.deepEqual(rest, { ...JSON.parse(line), type: 'error' }, query);
      t.deepEqual(Object.keys(error), ['code', 'message']);
      t.is(error.code, 'RemoteSourceError');
    }
    t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
  }
});

const pushed = table<'image' | 'account' | 'told'>(`
  image      account  told
  malformed  user     404 ResourceNotFound
  absent     user     404 ResourceNotFound
  absent     bad      422 InvalidParameter account:Invalid
  hidden     user     404 ResourceNotFound
  others     user     422 NotImageOwner
  zone       user     422 ValidationFailed type:Invalid
  zone       -        422 ValidationFailed type:Invalid
  docker     user     422 ValidationFailed manifest_str:Invalid
  docker     -        422 ValidationFailed manifest_str:Invalid
`);

test('pushing is for docker images, by their owners', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const owner = user.uuid;
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    hidden: (await server.image({ type: 'docker', public: false })).uuid,
    others: (await server.image({ type: 'docker' })).uuid,
    zone: (await server.image({ owner })).uuid,
    docker: (await server.image({ owner, type: 'docker' })).uuid,
  };
  for (const { image, account, told: expected } of pushed) {
    const named: Record<string, string> = { user: owner, bad: 'nonsense' };
    const query = account && `&account=${named[account]}`;
    const answer = await server.ask('POST', `/images/${uuids[image]}/push?repoAndTag=x:1${query}`, {
      body: { manifest_str: '{}', image: {}, config_digest: 'x' },
    });
    t.is(told(answer), expected, `${image} ${account}`);
  }
});

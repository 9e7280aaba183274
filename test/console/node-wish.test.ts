import test from 'ava';
import { bodyOf, newNode, wishOf } from '../../console/parts/node-wish.js';

const node = {
  name: 'n1',
  dcs: ['east'],
  addresses: ['10.0.0.0/24'],
  certificate: null,
  known_by_address: false,
  vm_rules: ['tag:web=east'],
  keep_sources: true,
  connection: null,
};

const connection = {
  address: 'n1.example',
  port: 2222,
  user: 'root',
  host_keys: ['ssh-ed25519 AAAA', 'ssh-rsa BBBB'],
  key: null,
  agent: false,
  jump: 'n0',
  platform: null,
  places: [],
};

test('a node is typed over as it is', (t) => {
  const wish = wishOf({ ...node, connection });
  t.like(wish, {
    host: 'n1',
    port: '2222',
    host_keys: 'ssh-ed25519 AAAA\nssh-rsa BBBB',
    jump: 'n0',
    key: '',
    platform: '',
  });
  t.like(wishOf(node), { address: '', port: newNode.port, vm_rules: ['tag:web=east'] });
});

test('only what was typed is sent, and never the name', (t) => {
  t.deepEqual(bodyOf({}), {});
  t.deepEqual(bodyOf({ host: 'n2', user: 'ops', agent: true, dcs: [] }), { user: 'ops', agent: true, dcs: [] });
});

test('what was emptied is taken away', (t) => {
  const emptied = bodyOf({ address: ' ', key: '', jump: '', platform: '', certificate: '', host_keys: '\n' });
  const none = { address: null, key: null, jump: null, platform: null, certificate: null, host_keys: [] };
  t.deepEqual(emptied, none);
});

test('host keys are lines', (t) => {
  t.deepEqual(bodyOf({ host_keys: ' ssh-ed25519 AAAA \n\nssh-rsa BBBB\n' }), {
    host_keys: ['ssh-ed25519 AAAA', 'ssh-rsa BBBB'],
  });
});

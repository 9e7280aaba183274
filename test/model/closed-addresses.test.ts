import test from 'ava';
import { addressesIn, isClosed } from '../../server/model/closed-addresses.js';

const closed = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.0.9',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::FFFF:a9fe:a9fe',
  '::127.0.0.1',
  '::ffff:0:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2002:c0a8:101::1',
  '2001:0:4136:e378::',
  'fe80::1',
  'fe80::1%eth0',
  '[fe80::1]',
  'fec0::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '2001:db8::1',
  'nonsense',
  '',
];

const open = [
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '169.253.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
  '::ffff:101:101',
  '64:ff9b::1.1.1.1',
  '2002:101:101::1',
];

for (const address of closed) test(`${address || 'nothing'} is closed`, (t) => t.true(isClosed(address)));
for (const address of open) test(`${address} is open`, (t) => t.false(isClosed(address)));

test('an address of IPv4 is seen however IPv6 spells it', (t) => {
  t.deepEqual(addressesIn('::ffff:a00:1'), ['::ffff:a00:1', '10.0.0.1']);
  t.deepEqual(addressesIn('64:ff9b::a00:1'), ['64:ff9b::a00:1', '10.0.0.1']);
  t.deepEqual(addressesIn('2606:4700::1'), ['2606:4700::1']);
  t.deepEqual(addressesIn('10.0.0.1'), ['10.0.0.1']);
});

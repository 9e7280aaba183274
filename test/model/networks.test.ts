import test from 'ava';
import { addressMatcher } from '../../server/model/networks.js';
import { table } from '../support/table.js';

const rows = table<'networks' | 'address' | 'inside'>(`
  networks             address               inside
  -                    127.0.0.1             no
  10.0.0.0/8           10.1.2.3              yes
  10.0.0.0/8           11.0.0.0              no
  10.1.2.3             10.1.2.3              yes
  10.1.2.3             10.1.2.4              no
  10.1.2.3/32          10.1.2.3              yes
  10.1.2.0/31          10.1.2.1              yes
  10.1.2.0/31          10.1.2.2              no
  10.1.2.3/8           10.9.9.9              yes
  0.0.0.0/0            203.0.113.9           yes
  0.0.0.0/0            2001:db8::1           no
  10.0.0.0/8           ::ffff:10.1.2.3       yes
  10.0.0.0/8           ::ffff:a01:203        yes
  10.0.0.0/8           ::ffff:11.1.2.3       no
  10.0.0.0/8           ::10.1.2.3            no
  ::ffff:10.0.0.0/104  10.1.2.3              yes
  ::ffff:10.0.0.0/104  ::ffff:10.1.2.3       yes
  ::1                  ::1                   yes
  ::1                  127.0.0.1             no
  fd00::/8             fd12:3456::1          yes
  fd00::/8             fe80::1               no
  fe80::/10            fe80::1%eth0          yes
  10.0.0.0/8,fd00::/8  fd00::1               yes
  10.0.0.0/8,fd00::/8  10.0.0.1              yes
  10.0.0.0/8           -                     no
  0.0.0.0/0            nonsense              no
  0.0.0.0/0            10.0.0.1:80           no
  0.0.0.0/0            ::ffff:nonsense       no
`);

for (const { networks, address, inside } of rows) {
  test(`${address || 'nowhere'} is ${inside === 'yes' ? '' : 'not '}in ${networks || 'no network'}`, (t) => {
    t.is(addressMatcher(networks ? networks.split(',') : [])(address), inside === 'yes');
  });
}

const mistakes = [
  '',
  'nonsense',
  'localhost',
  '10.0.0',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8.5',
  '10.0.0.0/x',
  '10.0.0.0/0x8',
  '10.0.0.0/8e0',
  '10.0.0.0/ 8',
  '10.0.0.0/8/8',
  '10.0.0.0/255.0.0.0',
  ' 10.0.0.0/8',
  '/8',
  'fd00::/129',
  '010.0.0.0/8',
];

for (const network of mistakes) {
  test(`"${network}" is no network`, (t) => {
    const { message } = t.throws(() => addressMatcher([network]));
    t.true(message.includes(`"${network}"`));
  });
}

import test from 'ava';
import type { Image } from '../../imgapi/image.js';
import { isZone, osTypeOf, osTypes } from '../../server/model/os-types.js';
import { table } from '../support/table.js';

const law = table<'type' | 'os' | 'number'>(`
  type          os       number
  zvol          linux    1
  zvol          illumos  2
  zvol          smartos  2
  zvol          bsd      3
  zvol          windows  4
  zvol          other    1
  zone-dataset  smartos  5
  zone-dataset  linux    5
  lx-dataset    linux    6
  docker        linux    6
  lxd           linux    6
  other         windows  4
  other         other    1
  null          null     1
`);

for (const { type, os, number } of law) {
  test(`${type} of ${os} is ${number}`, (t) => {
    t.is(String(osTypeOf({ type, os } as Pick<Image, 'type' | 'os'>)), number);
  });
}

test('each of the six comes back as itself', (t) => {
  for (const [number, { os, type }] of Object.entries(osTypes)) t.is(osTypeOf({ os, type }), Number(number) as 1);
  t.deepEqual(([1, 2, 3, 4, 5, 6] as const).filter(isZone), [5, 6]);
});

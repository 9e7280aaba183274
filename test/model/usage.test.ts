import test from 'ava';
import { bytesLeft, checkFits } from '../../server/model/quota.js';
import type { RegisteredImage } from '../../server/model/registration.js';
import { growthOf } from '../../server/model/usage.js';

const image = (owner: string, size: number, boundTo?: string): RegisteredImage => {
  const stored = { sha1: '', sha256: '', contentMD5: '', mtime: '', stor: 'local', compression: 'none' } as const;
  const place = { name: 'i', access: 'private', datacenters: ['east'], created: '', changed: '' } as const;
  return {
    v: 2,
    uuid: '00000000-0000-4000-8000-000000000001',
    owner,
    name: 'i',
    version: '1',
    state: 'active',
    disabled: false,
    activated: true,
    public: false,
    type: 'zvol',
    os: 'linux',
    files: [{ ...stored, size }],
    registration: { ...place, ...(boundTo !== undefined && { boundTo }) },
  };
};

const grown = (before: RegisteredImage | undefined, after: RegisteredImage | undefined) =>
  growthOf(before, after)
    .map(({ of, images, bytes }) => `${of} ${images} ${bytes}`)
    .sort();

test('what an image adds to the counts, and takes from them', (t) => {
  t.deepEqual(grown(undefined, image('ann', 5)), ['owner:ann 1 5']);
  t.deepEqual(grown(undefined, image('ann', 5, 'east')), ['datacenter:east 1 5', 'owner:ann 1 5']);
  t.deepEqual(grown(image('ann', 5, 'east'), undefined), ['datacenter:east -1 -5', 'owner:ann -1 -5']);
  t.deepEqual(grown(image('ann', 5, 'east'), image('ann', 7, 'east')), ['datacenter:east 0 2', 'owner:ann 0 2']);
  t.deepEqual(grown(image('ann', 5, 'east'), image('bob', 5, 'east')), ['owner:ann -1 -5', 'owner:bob 1 5']);
  t.deepEqual(grown(image('ann', 5, 'east'), image('ann', 5, 'west')), [
    'datacenter:east -1 -5',
    'datacenter:west 1 5',
  ]);
  t.deepEqual(grown(image('ann', 5, 'east'), image('ann', 5)), ['datacenter:east -1 -5']);
  t.deepEqual(grown(image('ann', 5), image('ann', 5)), []);
  const { registration: _, ...unregistered } = image('ann', 5);
  t.deepEqual(grown(undefined, unregistered), [], 'where there are no data centers nothing is counted');
});

test('up to a limit, and not a byte beyond', (t) => {
  const limits = { images: 2, bytes: 100 };
  const used = { images: 1, bytes: 60 };
  t.notThrows(() => checkFits('x', limits, used, 30, { images: 1, bytes: 10 }));
  t.throws(() => checkFits('x', limits, used, 30, { images: 1, bytes: 11 }), { message: /11 are needed, 10 are left/ });
  t.throws(() => checkFits('x', limits, used, 30, { images: 2, bytes: 0 }), {
    message: /may have 2 images, and has 1/,
  });
  t.notThrows(
    () => checkFits('x', limits, { images: 9, bytes: 999 }, 0, { images: 0, bytes: 0 }),
    'what stays may stay',
  );
  t.is(bytesLeft(limits, { bytes: 200 }, 0), 0);
  t.is(bytesLeft({ images: null, bytes: null }, used, 0), Number.POSITIVE_INFINITY);
});

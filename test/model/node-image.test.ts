import test from 'ava';
import { afterLooking, deleting, importing, type NodeImage, poolOf, ready } from '../../server/model/node-image.js';
import { withoutSecret } from '../../server/model/without-secret.js';

const NOW = new Date('2030-01-02T00:00:00Z');
const copy = (image: string, more: Partial<NodeImage> = {}): NodeImage => ({
  node: 'n1',
  pool: 'zones',
  image,
  state: 'ready',
  changed: '2030-01-01T00:00:00.000Z',
  ...more,
});

test('what comes, goes or is there is brought no second time', (t) => {
  const wish = { ...copy('a'), task: 't2', size: 5 };
  t.like(importing(undefined, wish, NOW), { state: 'importing', task: 't2', size: 5 });
  const code = (held: NodeImage) => t.throws(() => importing(held, wish, NOW));
  t.like(code(copy('a')), { code: 'ObjectAlreadyExists', managementStatus: 406 });
  t.like(code(copy('a', { state: 'importing', task: 't1' })), { code: 'Busy', managementStatus: 423 });
  t.like(code(copy('a', { state: 'deleting', task: 't1' })), { code: 'ImagePending', managementStatus: 417 });
  const going = deleting(copy('a'), 't1', NOW);
  t.like(going, { state: 'deleting', task: 't1' });
  t.throws(() => deleting(going, 't2', NOW), { message: /task t1/ });
  t.is(ready(going, NOW).task, undefined);
});

test('a node tells what it has; what tasks work on, and what is newer than its answer, stays as it is', (t) => {
  const later = '2030-01-03T00:00:00.000Z';
  const known = [
    copy('gone'),
    copy('there'),
    copy('comes', { state: 'importing', task: 't' }),
    copy('goes', { state: 'deleting', task: 't' }),
    copy('newer', { changed: later }),
  ];
  const found = ['there', 'goes', 'fresh'].map((uuid) => ({ uuid, pool: 'zones', size: 1 }));
  const { there, gone } = afterLooking(known, found, { node: 'n1', asked: NOW });
  t.deepEqual(there.map(({ image, state }) => `${image} ${state}`).toSorted(), ['fresh ready', 'there ready']);
  t.deepEqual(
    gone.map(({ image }) => image),
    ['gone'],
  );
  const again = afterLooking(there, found.slice(0, 1), { node: 'n1', asked: NOW });
  t.deepEqual(again.there, [], 'nothing is written that is known');
});

test('a disk lies on the innermost pool around it', (t) => {
  const pools = ['zones', 'zones/data', '/var/images'];
  t.is(poolOf('zones/vm/disk0', pools), 'zones');
  t.is(poolOf('zones/data/vm', pools), 'zones/data');
  t.is(poolOf('/var/images/vm.qcow2', pools), '/var/images');
  t.is(poolOf('zonesother/vm', pools), undefined);
});

test('nothing is left of a secret, wherever it was cut', (t) => {
  const secret = 'slipway_AbCdEfGhIjKlMnOpQrStUvWxYz012345';
  t.is(withoutSecret(`at http://x/n/${secret}/images`, secret), 'at http://x/n/…/images');
  t.is(withoutSecret('...GhIjKlMnOpQr and uVwX', secret), '...… and uVwX');
  t.is(withoutSecret('nothing of it', secret), 'nothing of it');
});

import test from 'ava';
import { urlForNodes } from '../../server/model/public-url.js';

const good = [
  'http://images.test:8080',
  'https://images.example.com/slipway',
  'http://10.0.0.1',
  'http://[fd00::1]:80',
];
const bad = [
  'http://localhost:8080',
  'http://LOCALHOST',
  'http://images.localhost',
  'http://localhost.:80',
  'http://127.0.0.1:8080/base',
  'http://127.1',
  'http://2130706433',
  'http://0.0.0.0',
  'http://[::1]:80',
  'http://[::]',
  'http://[::ffff:127.0.0.1]',
];

test('nodes are sent where they find this server', (t) => {
  for (const url of good) t.is(urlForNodes(url), url);
});

test('they are not sent where they find themselves, and not nowhere', (t) => {
  for (const url of bad) {
    const error = t.throws(() => urlForNodes(url), { message: /every node finds itself/ }, url);
    t.like(error, { code: 'NoPublicUrl', managementStatus: 428 });
  }
  t.like(
    t.throws(() => urlForNodes(undefined), { message: /publicUrl is not set/ }),
    { code: 'NoPublicUrl' },
  );
});

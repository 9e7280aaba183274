import test from 'ava';
import { LoginThrottle } from '../../server/auth/login-throttle.js';
import { SeenSignatures } from '../../server/auth/seen-signatures.js';
import { openCatalog } from '../../storage/open.js';
import { sharing } from '../support/members.js';

const AT = new Date('2030-01-01T00:00:00.000Z');
const OLDEST = new Date(AT.getTime() - 300_000);

async function daemons() {
  const shared = sharing(await openCatalog({ kind: 'memory' }), ['a', 'b']);
  return shared.map(({ catalog }) => catalog.members);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a signature that has passed on one daemon passes on no other', async (t) => {
  const [a, b] = (await daemons()).map((members) => new SeenSignatures(undefined, members));
  const signed = Array.from({ length: 250 }, (_, n) => `signed ${n}`);
  for (const text of signed) t.true(a!.admit(text, AT, OLDEST));
  await turn();
  for (const text of signed) t.false(b!.admit(text, AT, OLDEST), text);
  t.true(b!.admit('another', AT, OLDEST));
  await turn();
  t.false(a!.admit('another', AT, OLDEST));
});

test('what is told by others keeps to the bounds, too', async (t) => {
  const [one, other] = await daemons();
  const [a, b] = [new SeenSignatures(1000, one), new SeenSignatures(3, other)];
  for (let n = 0; n < 10; n += 1) t.true(a.admit(`${n}`, new Date(AT.getTime() + n * 1000), OLDEST));
  await turn();
  for (let n = 0; n < 10; n += 1) t.false(b.admit(`${n}`, new Date(AT.getTime() + n * 1000), OLDEST), `${n}`);
  t.true(b.admit('new', new Date(AT.getTime() + 10_000), OLDEST));
});

test('wrong passwords are counted by all daemons together, and a right one is forgiven by all', async (t) => {
  const [a, b] = (await daemons()).map((members) => new LoginThrottle(members));
  for (let n = 0; n < 5; n += 1) {
    await a!.admit('ada', '192.0.2.1');
    await b!.admit('ada', '192.0.2.2');
  }
  await turn();
  for (const throttle of [a!, b!])
    await t.throwsAsync(throttle.admit('ada', '192.0.2.3'), { message: /too many logins/ });
  await t.notThrowsAsync(a!.admit('eve', '192.0.2.3'));
  await b!.forgive('ada', '192.0.2.3');
  await turn();
  for (const throttle of [a!, b!]) await t.notThrowsAsync(throttle.admit('ada', '192.0.2.3'));
});

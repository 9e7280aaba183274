import test from 'ava';
import { sample, startServer } from '../support/server.js';

const MANY = 200_000;

/** Bodies of which every member is a problem of its own. */
const bodies: Record<string, object> = {
  'billing tags': { ...sample('dc'), billing_tags: Array(MANY).fill(1) },
  accounts: { ...sample('dc'), acl: Array(MANY).fill(1) },
  users: { ...sample('dc'), users: Array(MANY).fill(1) },
  traits: { ...sample('dc'), traits: Array(MANY).fill(1) },
  'unknown fields': { ...sample('dc'), ...Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, 1])) },
  'one long unknown field': { ...sample('dc'), ['x'.repeat(500_000)]: 1 },
};

for (const [what, body] of Object.entries(bodies)) {
  test(`a body full of problems is refused in a few lines: ${what}`, async (t) => {
    const { ask, deps } = await startServer(t);
    const { status, json, bytes } = await ask('POST', '/images', { body });
    t.is(status, 422);
    t.true((json.errors?.length ?? 0) >= 1 && (json.errors?.length ?? 0) <= 100);
    t.true((json.message?.length ?? 0) < 20_000);
    t.true(bytes.length < 1_000_000);
    t.is(deps.listing.size, 0);
  });
}

test('types of bodies that every object has are no types', async (t) => {
  const { ask } = await startServer(t);
  for (const type of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const { status, json } = await ask('POST', '/images', { body: '{}', headers: { 'content-type': type } });
    t.is(status, 422, type);
    t.deepEqual(
      json.errors?.map(({ field, code }) => [field, code]),
      [['body', 'MissingParameter']],
      type,
    );
  }
});

import test from 'ava';
import { isUuid } from '../../imgapi/image.js';
import { ADMIN, users, userUuid } from '../../server/model/user.js';

test('the administrator has the same uuid on every installation, for ever', (t) => {
  t.is(ADMIN.uuid, 'bb7595cc-a4fd-5d01-9d34-c30b39281151');
});

test('a name gives a uuid of version 5', (t) => {
  for (const name of ['admin', 'someone', '', 'ü', 'x'.repeat(1000)]) {
    t.true(isUuid(userUuid(name)), name);
    t.regex(userUuid(name), /^.{14}5.{4}[89ab]/, name);
    t.is(userUuid(name), userUuid(name));
  }
  t.not(userUuid('a'), userUuid('b'));
});

test('what is unique', (t) => {
  t.deepEqual(users.unique({ uuid: 'u', name: 'n', superAdmin: false, created: '' }), ['name:n']);
});

import test from 'ava';
import { inVain, permissionChoices, rightsIn } from '../../console/parts/rights-words.js';
import { permissions } from '../../server/model/group.js';

test('every permission of the server is offered', (t) => {
  t.deepEqual(
    permissionChoices.map(([name]) => name as string),
    [...permissions],
  );
});

test('nothing is given without admin, and that is said', (t) => {
  t.deepEqual(rightsIn(['image_admin', 'share_public']), rightsIn([]));
  t.deepEqual(inVain(['image_admin', 'share_public']), ['image_admin', 'share_public']);
  t.deepEqual(inVain(['admin', 'image_admin']), []);
});

test('importing takes both permissions', (t) => {
  const imports = (held: string[]) => rightsIn(held).some((words) => words.startsWith('import'));
  t.false(imports(['admin', 'image_import_admin']));
  t.true(imports(['admin', 'image_admin', 'image_import_admin']));
});

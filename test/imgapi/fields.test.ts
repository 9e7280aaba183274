import test from 'ava';
import { type Field, fieldOf, fields } from '../../imgapi/fields.js';

const names = (is: (field: Field) => boolean) =>
  Object.entries<Field>(fields)
    .filter(([, field]) => is(field))
    .map(([name]) => name)
    .join(' ');

const mutability: Record<Field['update'], string> = {
  anyone:
    'owner name version description homepage eula public os acl requirements users tags generate_passwords inherited_directories nic_driver disk_driver cpu_type image_size channels',
  operator: 'state error billing_tags traits',
  operatorUnactivated: 'uuid origin files',
  never: 'v urn disabled activated published_at type icon',
};

for (const [who, fieldNames] of Object.entries(mutability)) {
  test(`changed by ${who}`, (t) =>
    t.is(
      names(({ update }) => update === who),
      fieldNames,
    ));
}

const intakes: Record<Field['intake'], string> = {
  taken:
    'v owner name version description homepage eula disabled public type os origin error acl requirements users billing_tags traits tags generate_passwords inherited_directories',
  import: 'uuid urn published_at',
  zvol: 'nic_driver disk_driver cpu_type image_size',
  dropped: 'state files icon channels',
  never: 'activated',
};

for (const [intake, fieldNames] of Object.entries(intakes)) {
  test(`on create and import: ${intake}`, (t) =>
    t.is(
      names((field) => field.intake === intake),
      fieldNames,
    ));
}

test('what every object has is no field', (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'expires_at', '']) t.is(fieldOf(name), undefined);
});

import test from 'ava';
import { anonymous, type Caller } from '../../server/model/caller.js';
import { placesOf, reachOf } from '../../server/model/reach.js';
import { type Access, accessLevels, type Placement } from '../../server/model/registration.js';
import { noRights } from '../../server/model/rights.js';
import { canList, type Viewer } from '../../server/model/visibility.js';

const DATACENTERS = ['east', 'west'];
const USER = { uuid: '00000000-0000-4000-8000-000000000001', name: 'ann', superAdmin: false, created: '' };
const OTHER = '00000000-0000-4000-8000-000000000002';

const subsets = [[], ['east'], ['west'], ['east', 'west']];
const booleans = [true, false];

const callers: Caller[] = [
  anonymous,
  ...subsets.map((datacenters): Caller => {
    const node = { name: 'n1', datacenters, addresses: [], knownByAddress: false, created: '' };
    return { kind: 'node', node };
  }),
  ...subsets.flatMap((names) =>
    booleans.map((isAdmin): Caller => {
      const member = new Set(names);
      const roles = isAdmin ? { admin: member, imageAdmin: member } : {};
      return { kind: 'user', user: USER, rights: { ...noRights, member, ...roles } };
    }),
  ),
];

const viewers = callers.flatMap((caller) =>
  subsets.map((open): Viewer => ({ caller, mode: 'dc', open: new Set(open) })),
);

const placements = (Object.keys(accessLevels) as Access[]).flatMap((access): Placement[] => [
  ...subsets.map((datacenters) => ({ access, datacenters })),
  ...DATACENTERS.map((name) => ({ access, datacenters: [name], boundTo: name })),
  { access, datacenters: ['east'], global: true },
]);

const images = placements.flatMap((registration) =>
  booleans.flatMap((activated) =>
    [USER.uuid, OTHER].map((owner) => {
      const isPublic = registration.access === 'public';
      return { owner, public: isPublic, activated, disabled: false, acl: [USER.uuid], registration };
    }),
  ),
);

test('all that a caller can list stands within its reach', (t) => {
  let listed = 0;
  for (const viewer of viewers) {
    const reach = new Set(reachOf(viewer));
    for (const image of images) {
      if (!canList(viewer, image)) continue;
      listed += 1;
      if (!placesOf(image).some((place) => reach.has(place))) t.fail(JSON.stringify([viewer, image]));
    }
  }
  t.true(listed > 500, `${listed} cases say something`);
});

test('the reach of a caller ends at its data centers, unless it is an operator', (t) => {
  const node = callers[2]!;
  t.deepEqual(reachOf({ caller: node, mode: 'dc', open: new Set(['west']) }), ['east', '*']);
  t.is(reachOf({ caller: { kind: 'trusted' }, mode: 'dc', open: new Set() }), undefined);
  t.is(reachOf({ caller: anonymous, mode: 'public', open: new Set() }), undefined);
});

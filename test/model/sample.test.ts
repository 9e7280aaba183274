import test from 'ava';
import { type AuditEntry, accessesOf, CHANGES, type Content } from '../../server/model/audit.js';
import { type Free, forecast } from '../../server/model/forecast.js';
import {
  DAY,
  densities,
  type Flows,
  folded,
  HOUR,
  isNews,
  isOld,
  placeNamed,
  placeOf,
  type Sample,
  sightOf,
  startOf,
  sumIn,
  type Taken,
} from '../../server/model/sample.js';
import { courseOf, gridOf, type Series } from '../../server/model/series.js';
import { busier, busiest, busyPlaces, countEntry, noTraffic } from '../../server/model/traffic.js';
import { table } from '../support/table.js';

const NOW = new Date('2030-06-15T12:34:56.000Z');
const GIB = 1024 ** 3;
const everything = () => true;

const taken = (places: Record<string, [images: number, bytes: number]>, more: Partial<Taken> = {}): Taken => ({
  stored: 0,
  saved: 0,
  levels: new Map(Object.entries(places).map(([place, [images, bytes]]) => [place, { images, bytes }])),
  flows: new Map<string, Flows>(),
  ...more,
});

const after = (ms: number) => new Date(NOW.getTime() + ms);

// The disk

/** What was free on the days before now, in GiB of 1,000, the last of them today; a dash is a day of which nothing is known. */
const disks = table<'what' | 'free' | 'perDay' | 'fullIn'>(`
  what                                     free                                        perDay  fullIn
  nothing is known                         -                                           none    none
  three days are too few                   500 490 480                                 none    none
  four days                                500 490 480 470                             -10     47
  hours are no days                        500 490                                     none    none
  days of which nothing is known           500 . . . 460 . 440 430                     -10     43
  it grows by itself                       430 440 450 460 470                         10      never
  nothing changes                          500 500 500 500 500                         0       never
  one day on which very much came          900 890 880 870 860 360 350 340 330 320     -10     32
  one day on which very much went          400 390 380 370 360 860 850 840 830 820     -10     82
  now more, now less, and less in all      500 495 505 490 480 485 470 460 465 450     -5      90
  most comes on one day of the week        900 900 900 830 830 830 830 830 830 830 760 760 760 760 760 760 760 690 690 690 690 690 690 690 620 620 620 620  -10  62
  hardly anything                          500 500 500 499.99 499.99 499.99            *       never
  it is full                               30 20 10 0                                  -10     0
  what was long before does not count      100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 900 890 880 870 860 850 840 830 820 810 800 790 780 770 760 750 740 730 720 710 700 690 680 670 660 650 640 630  -10  63
`);

for (const { what, free, perDay, fullIn } of disks) {
  test(`the disk: ${what}`, (t) => {
    const values = free === '' ? [] : free.split(' ');
    const known = values.flatMap((text, at): Free[] => {
      if (text === '.') return [];
      const time = NOW.getTime() - (values.length - 1 - at) * DAY;
      return [{ at: time, free: Math.round(Number(text) * GIB), size: 1000 * GIB }];
    });
    const found = forecast(known, NOW);
    if (perDay === 'none') return t.is(found, undefined);
    if (perDay !== '*') t.is(Math.round(found!.perDay / GIB), Number(perDay));
    t.is(found!.fullIn, fullIn === 'never' ? undefined : Number(fullIn));
  });
}

test('the disk: what is known of one of another size does not count, and hours do not make days', (t) => {
  const day = (at: number, free: number, size: number): Free => ({ at: NOW.getTime() - at * DAY, free, size });
  const old = [5, 4, 3, 2].map((at) => day(at, 100 * at, 1000));
  t.is(forecast([...old, day(1, 5000, 9000), day(0, 4900, 9000)], NOW), undefined);
  t.deepEqual(forecast([...old, day(1, 100, 1000)], NOW), { perDay: -100, fullIn: 1 });
  const hours = Array.from({ length: 30 }, (_, n) => day(n / 24, 100 * n, 100_000));
  t.is(forecast(hours, NOW), undefined);
});

// Places

test('figures of a place are for those who administer a data center of it', (t) => {
  const user = { uuid: '1', name: 'dora', superAdmin: false, created: '' };
  const none = new Set<string>();
  const rights = {
    superAdmin: false,
    groups: none,
    member: none,
    imageAdmin: none,
    importAdmin: none,
    sharePublic: none,
  };
  const dora = sightOf({ kind: 'user', user, rights: { ...rights, admin: new Set(['east', 'south']) } });
  const member = sightOf({ kind: 'user', user, rights: { ...rights, admin: none } });
  const root = sightOf({ kind: 'user', user, rights: { ...rights, superAdmin: true, admin: none } });
  const ofEast = sightOf({ kind: 'trusted' }, 'east');
  const sights = table<'place' | 'dora' | 'member' | 'root' | 'ofEast'>(`
    place       dora  member  root  ofEast
    east        y     n       y     y
    west        n     n       y     n
    east,west   y     n       y     y
    *           y     n       y     y
    -           n     n       y     n
    eastern     n     n       y     n
  `);
  for (const { place, ...expected } of sights) {
    const found = { dora, member, root, ofEast };
    for (const [name, sees] of Object.entries(found)) {
      t.is(sees(place) ? 'y' : 'n', expected[name as keyof typeof found], `${name}: ${place}`);
    }
  }
});

test('an image stands where its placement says, as the audit says it too', (t) => {
  const standing = { access: 'private' as const, datacenters: ['west', 'east'] };
  const of = (registration: object) => placeOf({ public: false, registration: { ...standing, ...registration } });
  t.is(of({}), 'east,west');
  t.is(of({}), placeNamed(['west', 'east']));
  t.is(of({ global: true }), '*');
  t.is(placeNamed(['east', '*']), '*');
  t.is(of({ access: 'internal' }), '');
  t.is(of({ datacenters: [] }), placeNamed([]));
  t.is(placeOf({ public: true }), 'main');
});

// Samples

test('within a stretch what was moved adds up, and levels are those that were found last', (t) => {
  const first = folded(undefined, 'hours', NOW, taken({ east: [2, 20], west: [1, 5] }, { stored: 25 }));
  t.is(first.from, '2030-06-15T12:00:00.000Z');
  const moved = new Map([
    ['east', { downloads: 3, served: 30 }],
    ['gone', { failed: 1 }],
  ]);
  const second = folded(
    first,
    'hours',
    after(60_000),
    taken({ east: [3, 30] }, { stored: 30, saved: 1, flows: moved }),
  );
  const third = folded(second, 'hours', after(120_000), taken({ east: [3, 30] }, { stored: 30, flows: moved }));
  t.deepEqual(third.places, {
    east: { images: 3, bytes: 30, downloads: 6, served: 60 },
    west: { images: 0, bytes: 0 },
    gone: { images: 0, bytes: 0, failed: 2 },
  });
  t.like(third, { stored: 30, saved: 0, from: first.from, at: after(120_000).toISOString() });
  t.is(sumIn(third, 'failed', everything), 2);
  t.is(
    sumIn(third, 'failed', (place) => place === 'east'),
    0,
  );
  t.is(sumIn(third, 'imports', everything), 0);
});

test('of very many places the smallest are put together, and nothing is lost', (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 500 }, (_, n): [string, [number, number]] => [`d${n}`, [n + 1, n]]),
  );
  const sample = folded(undefined, 'days', NOW, taken({ ...many, '': [7, 7] }));
  t.is(Object.keys(sample.places).length, 100);
  t.is(sumIn(sample, 'images', everything), (500 * 501) / 2 + 7);
  t.is(sample.places.d499?.images, 500);
  t.is(sample.places.d0, undefined);
});

test('what is no news is not written', (t) => {
  const disk = { free: 500_000, size: 1_000_000 };
  const levels = { east: [2, 20] as [number, number] };
  const before = folded(undefined, 'minutes', NOW, taken(levels, { stored: 20, saved: 1, disk }));
  const news = (more: Partial<Taken>, where = levels as Record<string, [number, number]>, at = after(HOUR)) =>
    isNews(before, at, taken(where, { stored: 20, saved: 1, disk, ...more }));
  t.false(news({}));
  t.true(isNews(undefined, NOW, taken({})));
  t.true(news({}, levels, after(DAY)), 'that nothing has changed is said once a day');
  t.true(news({ stored: 21 }));
  t.true(news({ saved: 0 }));
  t.true(news({ flows: new Map([['east', { downloads: 1 }]]) }));
  t.true(news({}, { east: [2, 21] }));
  t.true(news({}, { east: [2, 20], west: [1, 0] }));
  t.true(news({}, { west: [2, 20] }));
  t.true(news({}, {}));
  t.false(news({ disk: { ...disk, free: 499_500 } }));
  t.true(news({ disk: { ...disk, free: 498_000 } }));
  t.true(news({ disk: { ...disk, size: 2_000_000 } }));
});

test('more places than are told apart are no news as long as they stay as they are', (t) => {
  const levels = Object.fromEntries(
    Array.from({ length: 150 }, (_, n) => [`dc-${n}`, [n + 1, 10 * n] as [images: number, bytes: number]]),
  );
  const before = folded(undefined, 'minutes', NOW, taken(levels));
  t.false(isNews(before, after(HOUR), taken(levels)));
  t.true(isNews(before, after(HOUR), taken({ ...levels, 'dc-0': [1, 1] })));
  t.true(isNews(before, after(HOUR), taken({ ...levels, 'dc-149': [150, 1] })));
});

test('each density is kept for as long as a question can reach back in it', (t) => {
  for (const density of ['minutes', 'hours', 'days'] as const) {
    const sample = (age: number) => ({ density, from: after(-age).toISOString() });
    t.false(isOld(sample(densities[density].kept), NOW));
    t.true(isOld(sample(densities[density].kept + 3 * DAY), NOW));
  }
});

// History

function samplesOf(density: Sample['density'], values: Record<string, [images: number, downloads: number]>): Sample[] {
  return Object.entries(values).map(([at, [images, downloads]]) =>
    folded(
      undefined,
      density,
      new Date(`2030-06-${at}:00.000Z`),
      taken({ east: [images, 0] }, { flows: new Map([['east', { downloads }]]) }),
    ),
  );
}

function told(what: Series, all: Sample[], from: string, to: string, points: number, before?: Sample) {
  const wish = { from: new Date(`2030-06-${from}:00.000Z`), to: new Date(`2030-06-${to}:00.000Z`), points };
  const grid = gridOf(wish, NOW);
  const since = Date.parse('2030-06-15T08:00:00.000Z');
  const course = courseOf(what, { samples: all, before, since }, grid, { sees: everything, now: NOW });
  return `${grid.density} ${course.step}: ${course.points.map(({ value }) => value ?? '-').join(' ')}`;
}

test('levels stand until they change, what was moved adds up, and nothing is known of before and of what is to come', (t) => {
  const all = samplesOf('minutes', {
    '15T08:00': [1, 0],
    '15T08:20': [2, 5],
    '15T08:25': [3, 1],
    '15T09:10': [4, 2],
    '15T11:00': [5, 7],
  });
  t.is(told('images', all, '15T07:30', '15T09:30', 12), 'minutes 600: - - - 1 1 3 3 3 3 3 4 4');
  t.is(told('downloads', all, '15T07:30', '15T09:30', 12), 'minutes 600: - - - 0 0 6 0 0 0 0 2 0');
  t.is(told('downloads', all, '15T07:30', '15T09:30', 2), 'minutes 3600: 6 2');
  t.is(told('images', all, '15T12:00', '15T13:30', 9, all.at(-1)), 'minutes 600: 5 5 5 5 - - - - -');
  t.is(told('downloads', all, '15T12:00', '15T13:30', 9, all.at(-1)), 'minutes 600: 0 0 0 0 - - - - -');
  t.is(told('images', [], '15T12:00', '15T12:30', 3), 'minutes 600: - - -');
});

test('no answer has more points than are wanted, whatever is asked for', (t) => {
  for (const points of [1, 2, 3, 7, 300, 999, 1000]) {
    for (const days of [0.0001, 0.01, 1, 1.999, 2.5, 61, 63, 1099, 50_000]) {
      const from = new Date(NOW.getTime() - days * DAY);
      const { step, count, start, density } = gridOf({ from, to: NOW, points }, NOW);
      t.true(count >= 1 && count <= points, `${days} days in ${points}`);
      t.true(start <= from.getTime() && start + count * step >= NOW.getTime());
      t.is(step % densities[density].every, 0);
    }
  }
  t.is(gridOf({ from: after(-DAY), to: NOW, points: 300 }, NOW).density, 'minutes');
  t.is(gridOf({ from: after(-30 * DAY), to: NOW, points: 1000 }, NOW).density, 'hours');
  t.is(gridOf({ from: after(-300 * DAY), to: NOW, points: 1000 }, NOW).density, 'days');
});

// What the audit tells

const entry = (chain: string, more: Partial<Content>): AuditEntry => ({
  ...{ id: '', time: NOW.toISOString(), who: { name: 'ann', kind: 'user' as const }, what: 'GetImageFile' },
  ...{ objects: [], datacenters: [], result: 'done', chain, seq: 1, previous: '', hash: '', ...more },
});

const pull = (result: string, more: Partial<Content> = {}) =>
  entry(accessesOf('a'), {
    objects: [{ kind: 'images', id: 'i1', name: 'base', datacenters: ['east'] }],
    from: '10.0.0.1',
    result,
    ...more,
  });

const node = { name: 'node n1', kind: 'node' as const };

test('downloads are counted as they went, and parts of one file are one', (t) => {
  const traffic = noTraffic();
  for (const one of [
    pull('whole', { bytes: 10 }),
    pull('whole', { bytes: 30, count: 3, who: node }),
    pull('range', { bytes: 4, count: 2 }),
    pull('range', { bytes: 4, count: 9 }),
    pull('range', { bytes: 1, from: '10.0.0.2' }),
    pull('range', { bytes: 1, who: node }),
    pull('cut', { bytes: 3 }),
    pull('redirect'),
    pull('ResourceNotFound', { count: 100 }),
    pull('toString'),
    pull('whole', { objects: [{ kind: 'path', id: '/api/backup', name: '/api/backup', datacenters: [] }], bytes: 99 }),
  ]) {
    countEntry(traffic, one);
  }
  t.deepEqual([...traffic.places], [['east', { downloads: 8, served: 53 }]]);
  t.deepEqual([...traffic.images.values()], [{ id: 'i1', place: 'east', downloads: 8, bytes: 53 }]);
  t.deepEqual([...traffic.nodes.values()], [{ id: 'n1', place: 'east', downloads: 4, bytes: 31 }]);
});

test('files that images got count as uploads, or as imports where a task brought them; clones bring none', (t) => {
  const traffic = noTraffic();
  const image = { kind: 'images', id: 'i1', name: 'base', action: 'changed' as const, datacenters: ['east'] };
  for (const [what, bytes] of Object.entries({ AddImageFile: 5, 'task import': 7, CloneImage: 9, start: 11 })) {
    countEntry(traffic, entry(CHANGES, { what, objects: [{ ...image, bytes }] }));
  }
  countEntry(traffic, entry(CHANGES, { what: 'ActOnImage activate', objects: [image] }));
  const task = { kind: 'tasks', id: 't1', name: 'import', datacenters: ['west'] };
  countEntry(traffic, entry(CHANGES, { what: 'start', objects: [{ ...task, fields: ['status', 'started'] }] }));
  t.is(traffic.ended.size, 0);
  countEntry(traffic, entry(CHANGES, { what: 'start', objects: [{ ...task, fields: ['finished', 'status'] }] }));
  t.deepEqual([...traffic.ended], [['t1', 'west']]);
  t.deepEqual([...traffic.places], [['east', { uploads: 1, taken: 5, imports: 1, imported: 7 }]]);
});

test('of an hour the busiest of each place are kept, and added up over hours for those who see the place', (t) => {
  const traffic = noTraffic();
  for (let n = 0; n < 100; n += 1) {
    for (const place of ['east', 'west']) {
      const objects = [{ kind: 'images', id: `${place}-${n}`, name: '', datacenters: [place] }];
      countEntry(traffic, pull('whole', { objects, bytes: 1, count: n + 1 }));
    }
  }
  const hour = busier({ from: NOW.toISOString(), images: [], nodes: [] }, traffic);
  t.is(hour.images.length, 80);
  const again = busier(hour, traffic);
  t.is(again.images.length, 80);
  const seen = busiest(busyPlaces([hour, again], 'images'), (place) => place === 'west');
  t.is(seen.length, 40);
  t.deepEqual(seen.slice(0, 2), [
    { id: 'west-99', downloads: 300, bytes: 3 },
    { id: 'west-98', downloads: 297, bytes: 3 },
  ]);
  t.is(busiest(busyPlaces([hour], 'images'), everything).length, 80);
  t.is(busiest(busyPlaces([hour], 'nodes'), everything).length, 0);
  t.is(startOf('hours', NOW), '2030-06-15T12:00:00.000Z');
});

import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Change } from '../../storage/catalog.js';
import { Taken, Unusable } from '../../storage/errors.js';
import { type Note, notes, type Opened, openShared, until } from '../support/catalogs.js';
import { gate } from '../support/gate.js';
import { isMet } from '../support/needs.js';
import { ask, needsPostgres, startPostgres } from '../support/postgres.js';
import { scratch } from '../support/scratch.js';

const here = isMet[needsPostgres];
const shared = (title: string, proof: (t: ExecutionContext, url: string) => Promise<void>) =>
  (here ? test : test.skip)(
    `several catalogs on PostgreSQL: ${title}${here ? '' : ` (needs ${needsPostgres})`}`,
    async (t) => {
      t.timeout(120_000);
      const postgres = await startPostgres();
      await proof(t, await postgres.newDatabase());
    },
  );

/** A lease that nobody loses here. */
const lease = 20_000;

shared('those who start at once make the schema once, and what one writes all read', async (t, url) => {
  const all = await Promise.all([1, 2, 3].map(() => openShared(t, url, { lease })));
  await all[0]!.insert({ id: 'first', name: 'argo' });
  for (const { catalog, ids } of all) {
    t.deepEqual(await ids(), ['first']);
    t.like(await catalog.find(notes, 'name:argo'), { id: 'first' });
    t.true(catalog.current());
  }
  await t.throwsAsync(all[1]!.insert({ id: 'second', name: 'argo' }), { instanceOf: Taken });
  const [{ version } = {}] = await ask(url, 'SELECT version FROM slipway.version');
  t.is(version, 1);
});

shared('all writing at once keep what each of them keeps', async (t, url) => {
  const all = await Promise.all([1, 2, 3].map(() => openShared(t, url, { lease })));
  const told = all.map(({ catalog }) => {
    const heard: string[] = [];
    catalog.follow(notes, (changes) => {
      for (const { id, record } of changes) heard.push(`${id} ${record?.count ?? 'gone'}`);
    });
    return heard;
  });
  await all[0]!.insert({ id: 'counter', count: 0 });
  const writes = Array.from({ length: 90 }, async (_, n) => {
    const { catalog } = all[n % 3]!;
    await catalog.write(async (tx) => {
      const counter = await tx.get(notes, 'counter');
      await tx.replace(notes, { id: 'counter', count: counter!.count! + 1 });
    });
    // whoever is asked after that has it
    const counters = await Promise.all(all.map(({ catalog: other }) => other.get(notes, 'counter')));
    return counters.every((counter) => counter!.count! >= 1);
  });
  const taking = Array.from({ length: 30 }, (_, n) => all[n % 3]!.insert({ id: `taker ${n}`, name: 'the only one' }));
  t.true((await Promise.all(writes)).every(Boolean));
  const taken = await Promise.allSettled(taking);
  t.is(taken.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const { catalog } of all) t.is((await catalog.get(notes, 'counter'))?.count, 90);
  for (const heard of told) t.deepEqual(heard, told[0], 'all hear of the same in the same order');
  t.deepEqual(
    told[0]!.filter((line) => line.startsWith('counter')),
    Array.from({ length: 91 }, (_, n) => `counter ${n}`),
  );
});

shared('a write that was acknowledged is seen by every read that begins afterwards', async (t, url) => {
  const all = await Promise.all([1, 2].map(() => openShared(t, url, { lease })));
  for (let n = 0; n < 60; n += 1) {
    const [writer, reader] = n % 2 ? [all[0]!, all[1]!] : [all[1]!, all[0]!];
    await writer.insert({ id: String(n) });
    t.truthy(await reader.catalog.get(notes, String(n)));
  }
});

shared('a change sees what others have written before it, and its refusal is as good as a read', async (t, url) => {
  const [one, two] = (await Promise.all([1, 2].map(() => openShared(t, url, { lease })))) as [Opened, Opened];
  const { opened, open } = gate();
  const slow = one.catalog.write(async (tx) => {
    await opened;
    await tx.insert(notes, { id: 'slow', name: 'argo' });
  });
  const quick = two.insert({ id: 'quick', name: 'argo' });
  await one.catalog.members.look(); // the head is locked by one of them
  open();
  const outcomes = await Promise.allSettled([slow, quick]);
  t.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

shared('a group without changes costs the log nothing, and one that throws leaves nothing', async (t, url) => {
  const { catalog } = await openShared(t, url, { lease });
  await t.throwsAsync(
    catalog.write(async (tx) => {
      await tx.insert(notes, { id: '1' });
      throw new Error('no');
    }),
    { message: 'no' },
  );
  await catalog.write(async (tx) => void (await tx.get(notes, '1')));
  const [{ head, entries } = {}] = await ask(
    url,
    'SELECT head::int, (SELECT count(*)::int FROM slipway.entries) AS entries FROM slipway.cluster',
  );
  t.deepEqual([head, entries], [0, 0]);
});

shared('snapshots are counted on all', async (t, url) => {
  const [one, two] = (await Promise.all([1, 2].map(() => openShared(t, url, { lease })))) as [Opened, Opened];
  const seenBy = (opened: Opened) => opened.catalog.write(async () => opened.catalog.openSnapshots());
  await one.insert({ id: '1' });
  const snapshot = await one.catalog.snapshot();
  t.is(await seenBy(two), 1);
  const other = await two.catalog.snapshot();
  t.is(await seenBy(two), 2);
  t.is(await seenBy(one), 2);
  await two.insert({ id: '2' });
  t.is(await snapshot.get(notes, '2'), undefined);
  t.is(await other.get(notes, '2'), undefined);
  await snapshot.close();
  await other.close();
  await until(async () => (await seenBy(two)) === 0 && (await seenBy(one)) === 0, 'none is counted');
});

shared('what is loaded reaches those who were there already', async (t, url) => {
  const postgres = await startPostgres();
  const source = await openShared(t, await postgres.newDatabase(), { lease });
  await source.catalog.write(async (tx) => {
    for (let n = 0; n < 3000; n += 1) await tx.insert(notes, { id: `\ud800é${n}`, name: `n${n}`, count: n });
  });
  const snapshot = await source.catalog.snapshot();
  const [one, two] = (await Promise.all([1, 2].map(() => openShared(t, url, { lease })))) as [Opened, Opened];
  const told: Change<Note>[] = [];
  two.catalog.follow(notes, (changes) => void told.push(...changes));
  await one.catalog.load(snapshot.entries());
  await snapshot.close();
  t.is((await one.ids()).length, 3000);
  await until(async () => (await two.ids()).length === 3000, 'the other has it');
  await until(() => two.catalog.current(), 'it answers');
  t.deepEqual(new Set(told.map(({ id }) => id)), new Set(await source.ids()));
  await two.insert({ id: 'more' });
  t.is((await one.ids()).length, 3001);
});

shared('a load that fails leaves nothing, and can be begun again', async (t, url) => {
  const { catalog, insert, ids } = await openShared(t, url, { lease });
  const failing = async function* (): AsyncGenerator<[string, string][]> {
    yield [['rnotes\0a', '{"id":"a"}']];
    throw new Error('the file ends here');
  };
  await t.throwsAsync(catalog.load(failing()), { message: 'the file ends here' });
  t.deepEqual(await ids(), []);
  await insert({ id: 'b' });
  t.deepEqual(await ids(), ['b']);
});

shared('a schema that is newer is refused, and left as it is', async (t, url) => {
  const { catalog } = await openShared(t, url, { lease });
  await catalog.close();
  await ask(url, 'UPDATE slipway.version SET version = 99');
  await t.throwsAsync(openShared(t, url, { lease }), {
    instanceOf: Unusable,
    message: /holds records of version 99, and this daemon knows versions up to 1/,
  });
  t.deepEqual(await ask(url, 'SELECT version FROM slipway.version'), [{ version: 99 }]);
});

shared('a database that keeps text in another way is refused', async (t, url) => {
  await ask(
    url,
    `CREATE DATABASE other_${new URL(url).pathname.slice(1)} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`,
  );
  const other = url.replace(/\/([^/]+)$/, '/other_$1');
  await t.throwsAsync(openShared(t, other, { lease }), {
    message: /keeps text as LATIN1: it has to be made with UTF8/,
  });
});

shared('a replica is kept over a restart, and takes in only what it lacks', async (t, url) => {
  const replica = join(await scratch(t), 'replica');
  const one = await openShared(t, url, { lease });
  const before = await openShared(t, url, { lease, replica });
  t.truthy(
    before.log.find(({ message }) => /is loaded$/.test(message)),
    'the first time it is loaded',
  );
  await one.insert({ id: '1' });
  await before.catalog.close();
  await one.insert({ id: '2' });
  const after = await openShared(t, url, { lease, replica });
  t.deepEqual(await after.ids(), ['1', '2']);
  t.falsy(after.log.find(({ message }) => /loaded/.test(message)));
});

shared('a replica of another cluster, and one that is damaged, are made anew', async (t, url) => {
  const replica = join(await scratch(t), 'replica');
  const elsewhere = await openShared(t, await (await startPostgres()).newDatabase(), { lease, replica });
  await elsewhere.insert({ id: 'foreign', name: 'x', count: 1 });
  await elsewhere.catalog.close();
  const one = await openShared(t, url, { lease });
  await one.insert({ id: 'ours' });
  const foreign = await openShared(t, url, { lease, replica });
  t.truthy(foreign.log.find(({ message }) => /of another cluster/.test(message)));
  t.deepEqual(await foreign.ids(), ['ours']);
  t.is(await foreign.catalog.find(notes, 'name:x'), undefined);
  await foreign.catalog.close();
  for (const file of readdirSync(replica).filter((name) => /^(MANIFEST|CURRENT)/.test(name))) {
    await writeFile(join(replica, file), 'nonsense');
  }
  const damaged = await openShared(t, url, { lease, replica });
  t.truthy(damaged.log.find(({ message }) => /can not be read/.test(message)));
  t.deepEqual(await damaged.ids(), ['ours']);
});

shared('the log is trimmed, and a replica that is too old is loaded anew', async (t, url) => {
  const replica = join(await scratch(t), 'replica');
  const old = await openShared(t, url, { lease, replica, keep: 5 });
  await old.insert({ id: 'early' });
  await old.catalog.close();
  // so long that no beat comes in between: one shortly before the end would leave some more
  const one = await openShared(t, url, { lease: 600_000, keep: 5 });
  for (let n = 0; n < 12; n += 1) await one.insert({ id: String(n) });
  await one.catalog.members.look();
  t.deepEqual(await ask(url, 'SELECT count(*)::int AS n FROM slipway.log'), [{ n: 5 }]);
  const again = await openShared(t, url, { lease, replica, keep: 5 });
  t.truthy(again.log.find(({ message }) => /is too old/.test(message)));
  t.is((await again.ids()).length, 13);
  await again.insert({ id: 'more' });
  t.is((await one.ids()).length, 14);
});

shared('a daemon that starts again takes its own place at once', async (t, url) => {
  const replica = join(await scratch(t), 'replica');
  const one = await openShared(t, url, { lease });
  const other = await openShared(t, url, { lease, replica, member: { name: 'killed', version: '0' } });
  const columns = 'id, process, name, version, since, taken';
  await ask(url, `CREATE TABLE kept AS SELECT ${columns} FROM slipway.members WHERE name = 'killed'`);
  await other.catalog.close();
  // as if it had been killed: its row is there
  await ask(url, `INSERT INTO slipway.members (${columns}) SELECT ${columns} FROM kept`);
  const again = await openShared(t, url, { lease, replica });
  t.deepEqual(
    again.catalog.members.all().map(({ id }) => id),
    [one, again].map(({ catalog }) => catalog.members.self.id),
  );
  await one.insert({ id: 'waits for nobody' });
});

shared('members know of each other, and who is first', async (t, url) => {
  const one = await openShared(t, url, { lease, member: { name: 'one', version: '1' } });
  const two = await openShared(t, url, { lease, member: { name: 'two', version: '2' } });
  await one.catalog.members.look();
  for (const { catalog } of [one, two]) {
    t.deepEqual(
      catalog.members.all().map(({ name, version }) => [name, version]),
      [
        ['one', '1'],
        ['two', '2'],
      ],
    );
    t.true(catalog.members.isIn(one.catalog.members.self.id));
  }
  t.true(one.catalog.members.isFirst());
  t.false(two.catalog.members.isFirst());
  const left = new Promise<void>((resolve) => {
    two.catalog.members.follow(() => {
      if (two.catalog.members.all().length === 1) resolve();
    });
  });
  await one.catalog.close();
  await left;
  t.true(two.catalog.members.isFirst());
  t.false(two.catalog.members.isIn(one.catalog.members.self.id));
});

shared('members tell each other, and hear nothing of their own', async (t, url) => {
  const [one, two] = (await Promise.all([1, 2].map(() => openShared(t, url, { lease })))) as [Opened, Opened];
  const heard: unknown[] = [];
  one.catalog.members.hear('greeting', () => t.fail('it has said that itself'));
  two.catalog.members.hear('other', () => t.fail('it has not asked for that'));
  const done = new Promise<void>((resolve) => {
    two.catalog.members.hear('greeting', (message, from) => {
      heard.push(message, from);
      resolve();
    });
  });
  one.catalog.members.tell('greeting', { text: 'é\0中' });
  await done;
  t.deepEqual(heard, [{ text: 'é\0中' }, one.catalog.members.self.id]);
  one.catalog.members.tell('greeting', 'x'.repeat(10_000));
  t.truthy(one.log.find(({ message }) => /too long/.test(message)));
});

shared('alone is alone on all of them', async (t, url) => {
  const all = await Promise.all([1, 2, 3].map(() => openShared(t, url, { lease })));
  let inside = 0;
  let most = 0;
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      all[n % 3]!.catalog.members.alone('work', async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise(setImmediate);
        inside -= 1;
        return n;
      }),
    ),
  );
  t.is(most, 1);
  t.deepEqual(results, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const { opened, open } = gate();
  const begun = gate();
  const holding = all[0]!.catalog.members.alone('work', async () => {
    begun.open();
    await opened;
  });
  await begun.opened;
  for (const { catalog } of all) t.is(await catalog.members.ifAlone('work', async () => 'done'), undefined);
  t.is(await all[1]!.catalog.members.ifAlone('other work', async () => 'done'), 'done');
  open();
  await holding;
  t.is(await all[2]!.catalog.members.ifAlone('work', async () => 'done'), 'done');
  await t.throwsAsync(
    all[2]!.catalog.members.alone('work', async () => {
      throw new Error('work failed');
    }),
    { message: 'work failed' },
  );
  t.is(await all[0]!.catalog.members.alone('work', async () => 'again'), 'again');
});

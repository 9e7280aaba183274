import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { StorageDown } from '../../storage/errors.js';
import { LEASE, notes, type Opened, openShared, until } from '../support/catalogs.js';
import { type FailingProxy, startProxy } from '../support/failing-proxy.js';
import { isMet } from '../support/needs.js';
import { ask, needsPostgres, type OwnPostgres, startOwnPostgres, startPostgres } from '../support/postgres.js';
import { canMount, fill, smallDisk } from './small-disk.js';

const here = isMet[needsPostgres];
const failing = (title: string, proof: (t: ExecutionContext) => Promise<void>) =>
  (here ? test.serial : test.skip)(
    `PostgreSQL fails: ${title}${here ? '' : ` (needs ${needsPostgres})`}`,
    async (t) => {
      t.timeout(180_000);
      await proof(t);
    },
  );

/** Two on one database, of which each has a way there of its own. */
async function two(t: ExecutionContext, options: { lease?: number } = {}): Promise<[Opened, Opened, FailingProxy[]]> {
  const url = new URL(await (await startPostgres()).newDatabase());
  const proxies = await Promise.all([1, 2].map(() => startProxy(t, Number(url.port))));
  const [one, other] = await Promise.all(
    proxies.map(({ port }) => {
      url.port = String(port);
      return openShared(t, url.href, options);
    }),
  );
  return [one!, other!, proxies];
}

failing('whoever is cut off answers no more when the others go on without it, and comes back as another', async (t) => {
  const [one, other, [, way]] = await two(t);
  await one.insert({ id: 'before' });
  const { id } = other.catalog.members.self;
  way!.hold();
  t.true(other.catalog.current());
  t.deepEqual(await other.ids(), ['before'], 'it answers within its lease');
  await one.insert({ id: 'without it' });
  t.false(other.catalog.current(), 'it knows before anybody is told of what it has not');
  t.false(one.catalog.members.isIn(id));
  await t.throwsAsync(other.insert({ id: 'no' }), { instanceOf: StorageDown });
  way!.release();
  await until(() => other.catalog.current(), 'it is back');
  t.deepEqual(await other.ids(), ['before', 'without it']);
  t.not(other.catalog.members.self.id, id);
  await other.insert({ id: 'again' });
  t.deepEqual(await one.ids(), ['again', 'before', 'without it']);
});

failing('a join that was not answered leaves nobody behind who would be waited for', async (t) => {
  const url = new URL(await (await startPostgres()).newDatabase());
  const database = url.href;
  const way = await startProxy(t, Number(url.port));
  url.port = String(way.port);
  const one = await openShared(t, url.href);
  const unanswered = way.onceSent('COMMIT', 'cut', { way: 'down', first: 'act' });
  await ask(database, 'DELETE FROM slipway.members');
  await unanswered;
  await until(() => one.catalog.current(), 'it has joined again');
  await one.insert({ id: 'acknowledged' });
  const rows = await ask(database, 'SELECT id FROM slipway.members');
  t.deepEqual(
    rows.map(({ id }) => id),
    [one.catalog.members.self.id],
  );
});

failing('a silence that is shorter than the lease changes nothing', async (t) => {
  const [one, other, [, way]] = await two(t, { lease: 20_000 });
  const { id } = other.catalog.members.self;
  way!.hold();
  const writing = one.insert({ id: 'waits' });
  await until(async () => (await one.ids()).length === 1, 'it is committed');
  t.deepEqual(await other.ids(), []);
  way!.release();
  await writing;
  t.deepEqual(await other.ids(), ['waits']);
  t.is(other.catalog.members.self.id, id);
});

failing('what was told while a connection was cut is read behind it', async (t) => {
  const [one, other, [, way]] = await two(t, { lease: 20_000 });
  for (const how of ['cut', 'reset'] as const) {
    way!.refuse();
    way![how]();
    const writing = one.insert({ id: how });
    await until(async () => (await one.ids()).includes(how), 'it is committed');
    way!.allow();
    await writing;
    t.true((await other.ids()).includes(how));
  }
  await other.said(/the database is followed again/);
});

failing('a commit whose answer is lost is looked up', async (t) => {
  const [one, other, [way]] = await two(t, { lease: 20_000 });
  const answered = way!.onceSent('COMMIT', 'cut', { way: 'down', first: 'act' });
  await one.insert({ id: 'committed' });
  await answered;
  t.deepEqual(await one.ids(), ['committed']);
  t.deepEqual(await other.ids(), ['committed']);

  const sent = way!.onceSent('COMMIT', 'cut', { way: 'up', first: 'act' });
  await t.throwsAsync(one.insert({ id: 'never' }), { instanceOf: StorageDown });
  await sent;
  await one.insert({ id: 'next' });
  t.deepEqual(await one.ids(), ['committed', 'next']);
  t.deepEqual(await other.ids(), ['committed', 'next']);
});

failing('whoever is silent with the head locked holds nobody up for longer than its lease', async (t) => {
  const [one, other, [way]] = await two(t);
  await one.insert({ id: 'before' });
  const locked = way!.onceSent('FOR UPDATE', 'hold');
  const stuck = one.insert({ id: 'stuck' });
  await locked;
  await other.insert({ id: 'goes on' });
  t.false(one.catalog.current());
  await t.throwsAsync(stuck, { instanceOf: StorageDown });
  way!.release();
  await until(() => one.catalog.current(), 'it is back');
  t.deepEqual(await one.ids(), ['before', 'goes on']);
  await one.insert({ id: 'again' });
  t.deepEqual(await other.ids(), ['again', 'before', 'goes on']);
});

failing('cut again and again, nothing that was acknowledged is lost, and both have the same', async (t) => {
  const [one, other, proxies] = await two(t, { lease: 2 * LEASE });
  const acknowledged: string[] = [];
  let isOver = false;
  const write = async (opened: Opened, name: string) => {
    for (let n = 0; !isOver; n += 1) {
      const id = `${name} ${n}`;
      await opened.insert({ id, name: id }).then(
        () => acknowledged.push(id),
        (error) => t.true(error instanceof StorageDown),
      );
      await pause(5);
    }
  };
  const writing = [write(one, 'one'), write(other, 'other'), write(one, 'another')];
  for (let n = 0; n < 12; n += 1) {
    const way = proxies[n % 2]!;
    if (n % 3) way.cut();
    else way.reset();
    const before = acknowledged.length;
    await until(() => acknowledged.length > before + 5, 'writes go on');
  }
  isOver = true;
  await Promise.all(writing);
  await until(() => one.catalog.current() && other.catalog.current(), 'both answer');
  const ids = await one.ids();
  t.deepEqual(await other.ids(), ids);
  t.deepEqual(
    acknowledged.filter((id) => !ids.includes(id)),
    [],
  );
});

failing('a lock goes with the connection that has it', async (t) => {
  const [one, other, [way]] = await two(t);
  await one.catalog.members.alone('work', async () => {
    t.is(await other.catalog.members.ifAlone('work', async () => 'both'), undefined);
    way!.refuse();
    way!.cut();
    t.is(await other.catalog.members.alone('work', async () => 'taken over'), 'taken over');
    way!.allow();
  });
  await until(() => one.catalog.current(), 'it is back');
  t.is(await one.catalog.members.alone('work', async () => 'again'), 'again');
});

(here && canMount ? test.serial : test.skip)(
  `PostgreSQL goes on while the disk of a replica is full: that one answers no more until there is room (needs ${needsPostgres}, and root to mount a tmpfs)`,
  async (t) => {
    t.timeout(180_000);
    const disk = smallDisk(t, 24);
    const url = await (await startPostgres()).newDatabase();
    const one = await openShared(t, url);
    const other = await openShared(t, url, { replica: join(disk, 'replica') });
    await one.insert({ id: 'before' });
    const free = await fill(disk);
    const long = 'x'.repeat(1 << 20);
    for (let n = 0; other.catalog.current(); n += 1) await one.insert({ id: `${n}`, name: `${n} ${long}` });
    await other.said(/the copy of the records can not be written/);
    t.truthy(await other.catalog.get(notes, 'before'), 'what it has can be read');
    await one.insert({ id: 'nobody waits for it' });
    await t.throwsAsync(other.insert({ id: 'refused' }), { instanceOf: StorageDown });
    await free();
    await until(() => other.catalog.current(), 'it is back');
    t.deepEqual(await other.ids(), await one.ids());
    await other.insert({ id: 'again' });
    t.truthy(await one.catalog.get(notes, 'again'));
  },
);

failing('a server that is set up otherwise is used as it has to be', async (t) => {
  const url = await (await startPostgres()).newDatabase();
  const name = new URL(url).pathname.slice(1);
  const settings = ['default_transaction_isolation = serializable', 'synchronous_commit = off', 'lock_timeout = 1'];
  for (const setting of settings) await ask(url, `ALTER DATABASE ${name} SET ${setting}`);
  const all = await Promise.all([1, 2].map(() => openShared(t, url, { lease: 20_000 })));
  await all[0]!.insert({ id: 'counter', count: 0 });
  const count = (opened: Opened) =>
    opened.catalog.write(async (tx) => {
      const { count = 0 } = (await tx.get(notes, 'counter'))!;
      await tx.replace(notes, { id: 'counter', count: count + 1 });
    });
  await Promise.all(Array.from({ length: 40 }, (_, n) => count(all[n % 2]!)));
  for (const { catalog } of all) t.is((await catalog.get(notes, 'counter'))?.count, 40);
});

/** Two daemons that write all the time, and what was acknowledged. */
async function busy(t: ExecutionContext, url: string) {
  const all = await Promise.all([1, 2].map(() => openShared(t, url, { lease: 2 * LEASE })));
  const acknowledged: string[] = [];
  let isOver = false;
  const writing = all.map(async (opened, which) => {
    for (let n = 0; !isOver; n += 1) {
      const id = `${which} ${n}`;
      await opened.insert({ id }).then(
        () => acknowledged.push(id),
        (error) => t.true(error instanceof StorageDown),
      );
      await pause(10);
    }
  });
  const goOn = async () => {
    const before = acknowledged.length;
    await until(() => acknowledged.length > before + 10, 'writes go on');
  };
  const end = async () => {
    isOver = true;
    await Promise.all(writing);
    await until(() => all.every(({ catalog }) => catalog.current()), 'both answer');
    const [ids, others] = await Promise.all(all.map((opened) => opened.ids()));
    t.deepEqual(ids, others);
    return acknowledged.filter((id) => !ids!.includes(id));
  };
  await goOn();
  return { all: all as [Opened, Opened], acknowledged, goOn, end };
}

failing('it is restarted, and killed', async (t) => {
  const postgres = await startOwnPostgres(t);
  const { goOn, end } = await busy(t, postgres.url);
  await postgres.restart();
  await goOn();
  await postgres.stop('SIGKILL');
  await postgres.start();
  await goOn();
  t.deepEqual(await end(), []);
});

failing('it is away: reads go on within the lease, writes are refused, and all comes back', async (t) => {
  const postgres = await startOwnPostgres(t);
  const one = await openShared(t, postgres.url, { lease: 2 * LEASE });
  await one.insert({ id: 'kept' });
  await postgres.stop('SIGKILL');
  t.true(one.catalog.current());
  await t.throwsAsync(one.insert({ id: 'refused' }), { instanceOf: StorageDown });
  t.deepEqual(await one.ids(), ['kept']);
  await until(() => !one.catalog.current(), 'it is cut off');
  await t.throwsAsync(one.insert({ id: 'refused' }), { instanceOf: StorageDown, message: /cut off/ });
  await t.throwsAsync(one.catalog.members.look(), { instanceOf: StorageDown });
  await t.throwsAsync(
    one.catalog.members.alone('work', async () => t.fail()),
    { instanceOf: StorageDown },
  );
  await postgres.start();
  await until(() => one.catalog.current(), 'it is back');
  await one.insert({ id: 'more' });
  t.deepEqual(await one.ids(), ['kept', 'more']);
});

failing('it stands still, and goes on', async (t) => {
  const postgres = await startOwnPostgres(t);
  const one = await openShared(t, postgres.url);
  await one.insert({ id: 'kept' });
  postgres.signal('SIGSTOP');
  await until(() => !one.catalog.current(), 'it is cut off');
  await t.throwsAsync(one.insert({ id: 'refused' }), { instanceOf: StorageDown });
  postgres.signal('SIGCONT');
  await until(() => one.catalog.current(), 'it is back');
  await one.insert({ id: 'more' });
  t.deepEqual(await one.ids(), ['kept', 'more']);
});

const together = (...all: OwnPostgres[]) =>
  all[0]!.url.replace(/127[^/]*/, all.map(({ port }) => `127.0.0.1:${port}`).join(',')) +
  '?target_session_attrs=read-write';

failing('its synchronous copy takes over, and nothing is lost', async (t) => {
  const postgres = await startOwnPostgres(t);
  const copy = await postgres.copy();
  const { goOn, end } = await busy(t, together(postgres, copy));
  await postgres.stop('SIGKILL');
  await copy.promote();
  await goOn();
  t.deepEqual(await end(), []);
});

failing('a copy takes over that has lost what was committed: that is said, and both go on from there', async (t) => {
  const postgres = await startOwnPostgres(t);
  const copy = await postgres.copy({ synchronous: false });
  const url = together(postgres, copy);
  const [one, other] = (await Promise.all([1, 2].map(() => openShared(t, url)))) as [Opened, Opened];
  const gone: string[] = [];
  one.catalog.follow(notes, (changes) => {
    for (const { id, record } of changes) if (!record) gone.push(id);
  });
  await one.insert({ id: 'kept', name: 'kept' });
  // of a copy that is behind, there may be no such table yet
  const onCopy = () => ask(copy.url, `SELECT 1 FROM slipway.log WHERE sequence = 1`).catch(() => []);
  await until(async () => (await onCopy()).length === 1, 'the copy has it');
  await copy.stop('SIGKILL');
  await one.insert({ id: 'lost', name: 'lost' });
  await postgres.stop('SIGKILL');
  await copy.start();
  await copy.promote();
  for (const { catalog, said, ids } of [one, other]) {
    await said(/has lost what it had committed/);
    await until(() => catalog.current(), 'it is back');
    t.deepEqual(await ids(), ['kept']);
    t.is(await catalog.find(notes, 'name:lost'), undefined);
  }
  t.deepEqual(gone, ['lost']);
  await other.insert({ id: 'new', name: 'lost' });
  t.deepEqual(await one.ids(), ['kept', 'new']);
});

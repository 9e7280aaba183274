import test, { type ExecutionContext } from 'ava';
import type { Catalog, Change, Kind, RangeOptions, Reader, Stored, Tx } from '../../storage/catalog.js';
import { Missing, StorageDown, Taken } from '../../storage/errors.js';
import { gate } from '../support/gate.js';

interface Ship {
  id: string;
  name?: string;
  ports?: string[];
  tons?: number;
}

const ships: Kind<Ship> = {
  name: 'ships',
  id: ({ id }) => id,
  unique: ({ name }) => (name === undefined ? [] : [`name:${name}`]),
  index: ({ ports = [], tons }) => [...ports.map((port) => `port:${port}`), ...(tons ? [`tons:${tons}`] : [])],
};
/** In two indexes that come to the same, of which memory keeps one for writes. */
const boats: Kind<{ id: string; berth: string }> = {
  name: 'boats',
  id: ({ id }) => id,
  index: ({ berth }) => [`near:${berth}`, `far:${berth}`],
  resident: ['near'],
};
// its name begins like that of the other kind: their records must not run into each other
const shipsInDock: Kind<{ id: string }> = { name: 'ships-in-dock', id: ({ id }) => id };

const hostile = [
  '',
  '\0',
  '\0\0',
  '\0\x01',
  '\x01',
  '\x01\x01',
  '\x01\x02',
  '\x02',
  ' ',
  '!',
  'a',
  'a\0',
  'a\0b',
  'a\x01',
  'a!',
  'a:b',
  'a\xff',
  'aa',
  '~',
  '\x7f',
  '\x80',
  'é',
  'ÿ',
  '中',
  '\ud800',
  '\ud800\ud800',
  '\udc00',
  '\ud83d',
  '\ud83d\ude00',
  '\ude00\ud83d',
  '\ufffd',
  '\uffff',
  'z'.repeat(5000),
];

/** What every catalog keeps to. `open` gives an empty one, and the way to close it. */
export function catalogContract(
  name: string,
  open: (t: ExecutionContext) => Promise<{ catalog: Catalog; close: () => Promise<void> }>,
): void {
  function about(title: string, proof: (t: ExecutionContext, catalog: Catalog) => Promise<void>): void {
    test(`${name}: ${title}`, async (t) => {
      const { catalog, close } = await open(t);
      t.teardown(close);
      await proof(t, catalog);
    });
  }

  about('what is absent is undefined', async (t, catalog) => {
    t.is(await catalog.get(ships, 'argo'), undefined);
    t.is(await catalog.find(ships, 'name:argo'), undefined);
    t.deepEqual(await all(catalog.list(ships)), []);
    t.deepEqual(await all(catalog.range(ships, 'port')), []);
  });

  about('a record is inserted, replaced, deleted', async (t, catalog) => {
    await catalog.write((tx) => tx.insert(ships, { id: '1', name: 'argo', tons: 5 }));
    t.deepEqual(await catalog.get(ships, '1'), { id: '1', name: 'argo', tons: 5 });
    await catalog.write((tx) => tx.replace(ships, { id: '1', name: 'argo', tons: 6 }));
    t.deepEqual(await catalog.get(ships, '1'), { id: '1', name: 'argo', tons: 6 });
    await catalog.write((tx) => tx.delete(ships, '1'));
    t.is(await catalog.get(ships, '1'), undefined);
    t.is(await catalog.find(ships, 'name:argo'), undefined);
    t.deepEqual(await idsIn(catalog, 'tons'), []);
  });

  about('write returns what its change returns', async (t, catalog) => {
    t.is(await catalog.write(async () => 'done'), 'done');
  });

  about('an id is taken once', async (t, catalog) => {
    await insert(catalog, { id: '1', tons: 1 });
    const refusal = await t.throwsAsync(insert(catalog, { id: '1', tons: 2 }), { instanceOf: Taken });
    t.is(refusal.key, '1');
    t.deepEqual(await catalog.get(ships, '1'), { id: '1', tons: 1 });
  });

  about('what is missing is neither replaced nor deleted', async (t, catalog) => {
    const replacing = catalog.write((tx) => tx.replace(ships, { id: '1' }));
    t.is((await t.throwsAsync(replacing, { instanceOf: Missing })).key, '1');
    await t.throwsAsync(
      catalog.write((tx) => tx.delete(ships, '1')),
      { instanceOf: Missing },
    );
    t.is(await catalog.get(ships, '1'), undefined);
  });

  about('kinds keep apart', async (t, catalog) => {
    await insert(catalog, { id: '1' });
    await catalog.write((tx) => tx.insert(shipsInDock, { id: '1' }));
    await catalog.write((tx) => tx.delete(shipsInDock, '1'));
    t.deepEqual(await all(catalog.list(shipsInDock)), []);
    t.deepEqual(await all(catalog.list(ships)), [{ id: '1' }]);
  });

  about('records are fresh values', async (t, catalog) => {
    const record: Ship = { id: '1', ports: ['x'] };
    await insert(catalog, record);
    record.ports!.push('y');
    const first = await catalog.get(ships, '1');
    first!.ports!.push('z');
    t.deepEqual(await catalog.get(ships, '1'), { id: '1', ports: ['x'] });
    t.deepEqual(await catalog.find(ships, 'name:none'), undefined);
  });

  about('a unique key belongs to one record', async (t, catalog) => {
    await insert(catalog, { id: '1', name: 'argo' });
    const refusal = await t.throwsAsync(insert(catalog, { id: '2', name: 'argo' }), { instanceOf: Taken });
    t.is(refusal.key, 'name:argo');
    t.is(await catalog.get(ships, '2'), undefined);
    t.is((await catalog.find(ships, 'name:argo'))?.id, '1');

    await insert(catalog, { id: '2', name: 'bounty' });
    await t.throwsAsync(
      catalog.write((tx) => tx.replace(ships, { id: '2', name: 'argo' })),
      { instanceOf: Taken },
    );
    t.is((await catalog.find(ships, 'name:bounty'))?.id, '2');
  });

  about('a unique key is free again when its record lets go of it', async (t, catalog) => {
    await insert(catalog, { id: '1', name: 'argo' });
    await catalog.write((tx) => tx.replace(ships, { id: '1', name: 'bounty' }));
    t.is(await catalog.find(ships, 'name:argo'), undefined);
    await insert(catalog, { id: '2', name: 'argo' });
    await catalog.write((tx) => tx.delete(ships, '2'));
    await insert(catalog, { id: '3', name: 'argo' });
    t.is((await catalog.find(ships, 'name:argo'))?.id, '3');
  });

  about('unique keys can change hands within one write', async (t, catalog) => {
    await insert(catalog, { id: '1', name: 'argo' });
    await insert(catalog, { id: '2', name: 'bounty' });
    await catalog.write(async (tx) => {
      await tx.replace(ships, { id: '1', name: 'aside' });
      await tx.replace(ships, { id: '2', name: 'argo' });
      await tx.replace(ships, { id: '1', name: 'bounty' });
    });
    t.is((await catalog.find(ships, 'name:argo'))?.id, '2');
    t.is((await catalog.find(ships, 'name:bounty'))?.id, '1');
  });

  about('a change that catches Taken goes on without half a record', async (t, catalog) => {
    await insert(catalog, { id: '1', name: 'argo' });
    await catalog.write(async (tx) => {
      await t.throwsAsync(tx.insert(ships, { id: '2', name: 'argo', tons: 7 }), { instanceOf: Taken });
      await tx.insert(ships, { id: '3' });
    });
    t.deepEqual(await ids(catalog.list(ships)), ['1', '3']);
    t.deepEqual(await idsIn(catalog, 'tons'), []);
  });

  about('writes that one change starts at once see each other', async (t, catalog) => {
    const results = await catalog.write((tx) =>
      Promise.allSettled(['1', '2', '3'].map((id) => tx.insert(ships, { id, name: 'argo' }))),
    );
    t.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    t.deepEqual(await ids(catalog.list(ships)), ['1']);
  });

  about('an index gives records by value, then id', async (t, catalog) => {
    await insert(catalog, { id: '3', ports: ['bari'] });
    await insert(catalog, { id: '1', ports: ['bari', 'athens'] });
    await insert(catalog, { id: '2', ports: ['cork'] });
    await insert(catalog, { id: '4' });
    t.deepEqual(await idsIn(catalog, 'port'), ['1', '1', '3', '2']);
    t.deepEqual(await idsIn(catalog, 'port', { prefix: 'bari' }), ['1', '3']);
    t.deepEqual(await idsIn(catalog, 'port', { prefix: 'b' }), ['1', '3']);
    t.deepEqual(await idsIn(catalog, 'port', { prefix: 'd' }), []);
    t.deepEqual(await idsIn(catalog, 'por'), []);
  });

  about('an index follows its records', async (t, catalog) => {
    await insert(catalog, { id: '1', ports: ['athens', 'bari'] });
    await catalog.write((tx) => tx.replace(ships, { id: '1', ports: ['bari', 'cork'] }));
    t.deepEqual(await idsIn(catalog, 'port', { prefix: 'athens' }), []);
    t.deepEqual(await idsIn(catalog, 'port'), ['1', '1']);
    await catalog.write((tx) => tx.delete(ships, '1'));
    t.deepEqual(await idsIn(catalog, 'port'), []);
  });

  for (const [index, prefix] of [
    ['id', 'b'],
    ['port', 'b'],
  ] as const) {
    about(`${index} is walked page by page in both directions`, async (t, catalog) => {
      const names = ['a', 'b', 'b1', 'b2', 'b3', 'c'];
      await catalog.write(async (tx) => {
        for (const id of names) await tx.insert(ships, { id, ports: [id] });
      });
      const within = names.slice(1, 5);
      t.deepEqual(await idsIn(catalog, index), names);
      t.deepEqual(await idsIn(catalog, index, { reverse: true }), names.toReversed());
      t.deepEqual(await idsIn(catalog, index, { prefix }), within);
      t.deepEqual(await idsIn(catalog, index, { prefix, reverse: true }), within.toReversed());
      t.deepEqual(await idsIn(catalog, index, { below: 'b2' }), ['a', 'b', 'b1']);
      t.deepEqual(await idsIn(catalog, index, { prefix, below: 'b2', reverse: true }), ['b1', 'b']);
      t.deepEqual(await idsIn(catalog, index, { prefix, below: 'a' }), []);
      t.deepEqual(await idsIn(catalog, index, { prefix, below: 'z', limit: 1, reverse: true }), ['b3']);
      t.deepEqual(await idsIn(catalog, index, { limit: 2 }), ['a', 'b']);
      t.deepEqual(await idsIn(catalog, index, { limit: 0 }), []);
      for (const limit of [1, 2, 3, 4, 5]) {
        t.deepEqual(await inPages(catalog, index, { prefix, limit }), within, `pages of ${limit}`);
        t.deepEqual(await inPages(catalog, index, { prefix, limit, reverse: true }), within.toReversed());
        t.deepEqual(await inPages(catalog, index, { limit }), names);
      }
    });
  }

  about('a position stays good when its record has gone', async (t, catalog) => {
    for (const id of ['1', '2', '3']) await insert(catalog, { id });
    const [, second] = await all(catalog.range(ships, 'id'));
    await catalog.write((tx) => tx.delete(ships, '2'));
    t.deepEqual(await idsIn(catalog, 'id', { after: second!.at }), ['3']);
    t.deepEqual(await idsIn(catalog, 'id', { after: second!.at, reverse: true }), ['1']);
  });

  about('more than a page of records', async (t, catalog) => {
    const count = 1234;
    await catalog.write(async (tx) => {
      for (let n = 0; n < count; n++) await tx.insert(ships, { id: String(n).padStart(5, '0'), ports: ['x'] });
      t.is((await ids(tx.list(ships))).length, count);
    });
    t.is((await ids(catalog.list(ships))).length, count);
    t.is((await idsIn(catalog, 'port', { prefix: 'x' })).length, count);
    t.is((await idsIn(catalog, 'port', { limit: 777, reverse: true })).at(-1), '00457');
  });

  about('any string is an id, a key, a value and a prefix, in the order of bytes', async (t, catalog) => {
    await catalog.write(async (tx) => {
      for (const text of hostile) await tx.insert(ships, { id: text, name: text, ports: [text] });
    });
    const sorted = hostile.toSorted(byBytes);
    t.deepEqual(await ids(catalog.list(ships)), sorted);
    t.deepEqual(await idsIn(catalog, 'port'), sorted);
    t.deepEqual(await inPages(catalog, 'port', { limit: 1, reverse: true }), sorted.toReversed());
    for (const text of hostile) {
      t.is((await catalog.get(ships, text))?.name, text);
      t.is((await catalog.find(ships, `name:${text}`))?.id, text);
      const beginSo = sorted.filter((other) => spelt(other).startsWith(spelt(text)));
      t.deepEqual(await idsIn(catalog, 'port', { prefix: text }), beginSo);
      t.deepEqual(await idsIn(catalog, 'id', { prefix: text }), beginSo);
    }
    for (const text of hostile) await catalog.write((tx) => tx.delete(ships, text));
    t.deepEqual(await idsIn(catalog, 'port'), []);
    t.is(await catalog.find(ships, `name:${hostile[0]}`), undefined);
  });

  about('a change reads what it has written', async (t, catalog) => {
    await catalog.write(async (tx) => {
      for (const id of ['1', '3', '5']) await tx.insert(ships, { id, name: id, ports: ['x'] });
    });
    await catalog.write(async (tx) => {
      await tx.delete(ships, '3');
      await tx.insert(ships, { id: '2', name: 'two', ports: ['x'] });
      await tx.replace(ships, { id: '5', name: 'five', ports: ['w'] });
      await tx.insert(ships, { id: '6' });
      t.is(await tx.get(ships, '3'), undefined);
      t.is(await tx.find(ships, 'name:5'), undefined);
      t.is((await tx.find(ships, 'name:five'))?.id, '5');
      t.deepEqual(await ids(tx.list(ships)), ['1', '2', '5', '6']);
      t.deepEqual(await idsIn(tx, 'id', { reverse: true, limit: 3 }), ['6', '5', '2']);
      t.deepEqual(await idsIn(tx, 'port'), ['5', '1', '2']);
      t.deepEqual(await idsIn(tx, 'port', { prefix: 'x', reverse: true }), ['2', '1']);
      t.deepEqual(await inPages(tx, 'port', { limit: 1 }), ['5', '1', '2']);
      t.deepEqual(await ids(catalog.list(ships)), ['1', '3', '5'], 'others still see what is committed');
    });
    t.deepEqual(await idsIn(catalog, 'port'), ['5', '1', '2']);
  });

  about('a walk sees what there was when it began', async (t, catalog) => {
    for (const id of ['1', '2', '3']) await insert(catalog, { id, ports: ['x'] });
    const seen: string[] = [];
    for await (const { record } of catalog.range(ships, 'port')) {
      seen.push(record.id);
      await catalog.write(async (tx) => {
        for (const { id } of await all(tx.list(ships))) await tx.delete(ships, id);
        await tx.insert(ships, { id: `9${seen.length}`, ports: ['x'] });
      });
    }
    t.deepEqual(seen, ['1', '2', '3']);
    t.deepEqual(await ids(catalog.list(ships)), ['93']);
  });

  about('a change may delete what it is walking over', async (t, catalog) => {
    for (const id of ['1', '2', '3', '4']) await insert(catalog, { id });
    await catalog.write(async (tx) => {
      await tx.insert(ships, { id: '5' });
      for await (const { id } of tx.list(ships)) await tx.delete(ships, id);
      t.deepEqual(await ids(tx.list(ships)), []);
    });
    t.deepEqual(await ids(catalog.list(ships)), []);
  });

  about('a resident index is walked like any other, by whatever changes', async (t, catalog) => {
    const berths = hostile.slice(0, 20);
    let seed = 1;
    const any = (below: number) => {
      seed = (seed * 48271) % 0x7fffffff;
      return seed % below;
    };
    const near = (reader: Reader, options?: RangeOptions) => all(reader.range(boats, 'near', options));
    const far = (reader: Reader, options?: RangeOptions) => all(reader.range(boats, 'far', options));
    const change = async (tx: Tx) => {
      const boat = { id: String(any(40)), berth: berths[any(berths.length)]! };
      const known = await tx.get(boats, boat.id);
      if (!known) await tx.insert(boats, boat);
      else if (any(2) > 0) await tx.replace(boats, boat);
      else await tx.delete(boats, boat.id);
      const prefix = berths[any(berths.length)]!;
      for (const options of [{}, { reverse: true }, { prefix }, { prefix, reverse: true }, { limit: 3 }]) {
        t.deepEqual(await near(tx, options), await far(tx, options));
      }
      const [first] = await near(tx);
      if (first) t.deepEqual(await near(tx, { after: first.at }), await far(tx, { after: first.at }));
      if (any(5) === 0) throw new Error('changed my mind');
    };
    for (let group = 0; group < 20; group += 1) {
      await Promise.allSettled(Array.from({ length: 8 }, () => catalog.write(change)));
    }
    await catalog.write(async (tx) => t.true((await near(tx)).length > 5));
    t.deepEqual(await near(catalog), await far(catalog));
  });

  about('a change tells what it has done, each record once', async (t, catalog) => {
    await insert(catalog, { id: '1', tons: 1 });
    await insert(catalog, { id: '2', tons: 2 });
    await catalog.write(async (tx) => {
      t.deepEqual(tx.effects(), []);
      await tx.get(ships, '1');
      await tx.replace(ships, { id: '1', tons: 5 });
      await tx.insert(ships, { id: '3' });
      await tx.delete(ships, '2');
      await tx.replace(ships, { id: '1', tons: 6 });
      await tx.delete(ships, '3');
      await t.throwsAsync(tx.insert(ships, { id: '1' }), { instanceOf: Taken });
      t.deepEqual(tx.effects(), [
        { kind: 'ships', id: '1', before: { id: '1', tons: 1 }, after: { id: '1', tons: 6 } },
        { kind: 'ships', id: '3', before: undefined, after: undefined },
        { kind: 'ships', id: '2', before: { id: '2', tons: 2 }, after: undefined },
      ]);
    });
  });

  about('a change that throws leaves nothing', async (t, catalog) => {
    const refused = catalog.write(async (tx) => {
      await tx.insert(ships, { id: '1', name: 'argo', ports: ['x'] });
      throw new Error('changed my mind');
    });
    await t.throwsAsync(refused, { message: 'changed my mind' });
    t.is(await catalog.get(ships, '1'), undefined);
    t.is(await catalog.find(ships, 'name:argo'), undefined);
    t.deepEqual(await idsIn(catalog, 'port'), []);
  });

  about('a change that throws at once is a refused write like any other', async (t, catalog) => {
    const change = (): Promise<void> => {
      throw new Error('not even started');
    };
    await t.throwsAsync(catalog.write(change), { message: 'not even started' });
  });

  about('changes that wait together see those before them, and a throwing one harms no other', async (t, catalog) => {
    const outcomes = await Promise.allSettled([
      insert(catalog, { id: '1', name: 'argo' }),
      catalog.write(async (tx) => {
        await tx.insert(ships, { id: '2', name: 'bounty', ports: ['x'] });
        await tx.delete(ships, '1');
        throw new Error('no');
      }),
      insert(catalog, { id: '3', name: 'argo' }),
      insert(catalog, { id: '4', name: 'bounty' }),
      catalog.write((tx) => ids(tx.list(ships))),
    ]);
    t.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled'],
    );
    t.deepEqual(outcomes[4], { status: 'fulfilled', value: ['1', '4'] });
    t.deepEqual(await ids(catalog.list(ships)), ['1', '4']);
    t.deepEqual(await idsIn(catalog, 'port'), []);
  });

  about('changes run one after another, in the order of their writes', async (t, catalog) => {
    const events: string[] = [];
    const writes = [1, 2, 3].map((n) =>
      catalog.write(async (tx) => {
        events.push(`begin ${n}`);
        await tx.get(ships, '1');
        await new Promise(setImmediate);
        events.push(`end ${n}`);
      }),
    );
    await Promise.all(writes);
    t.deepEqual(events, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  about('concurrent writers keep what each of them keeps', async (t, catalog) => {
    await insert(catalog, { id: 'account', tons: 100 });
    const withdraw = (tons: number) =>
      catalog.write(async (tx) => {
        const account = await tx.get(ships, 'account');
        if (account!.tons! < tons) throw new Error('overdrawn');
        await tx.replace(ships, { ...account!, tons: account!.tons! - tons });
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => withdraw(3)));
    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 33);
    t.is((await catalog.get(ships, 'account'))?.tons, 1);
  });

  about('a transaction is not to be used after its change has returned', async (t, catalog) => {
    let kept: Tx | undefined;
    let late: Promise<void> | undefined;
    await catalog.write(async (tx) => {
      kept = tx;
      late = tx.insert(ships, { id: 'late' });
      late.catch(() => {}); // looked at below
    });
    const message = /after its change had returned/;
    await t.throwsAsync(late!, { message });
    await t.throwsAsync(async () => kept!.get(ships, '1'), { message });
    await t.throwsAsync(async () => kept!.find(ships, 'name:1'), { message });
    await t.throwsAsync(async () => all(kept!.list(ships)), { message });
    await t.throwsAsync(async () => kept!.insert(ships, { id: '1' }), { message });
    await t.throwsAsync(async () => kept!.replace(ships, { id: '1' }), { message });
    await t.throwsAsync(async () => kept!.delete(ships, '1'), { message });
    t.deepEqual(await ids(catalog.list(ships)), []);
  });

  about('write inside write is refused, and the outer one goes on', async (t, catalog) => {
    await catalog.write(async (tx) => {
      await t.throwsAsync(insert(catalog, { id: 'inner' }), { message: /write inside write/ });
      await tx.insert(ships, { id: 'outer' });
    });
    t.deepEqual(await ids(catalog.list(ships)), ['outer']);
  });

  about('what a change has started may write once the change is over', async (t, catalog) => {
    const { opened, open: release } = gate();
    let later: Promise<void> | undefined;
    await catalog.write(async () => {
      later = opened.then(() => insert(catalog, { id: 'later' }));
    });
    release();
    await later;
    t.deepEqual(await ids(catalog.list(ships)), ['later']);
  });

  about('pages hold every record and its JSON, as they were when the reading began', async (t, catalog) => {
    const fleet = Array.from({ length: 1234 }, (_, n): Ship => ({ id: `s${n}`, name: `${hostile[n % 9]}é中${n}` }));
    await catalog.write(async (tx) => {
      for (const ship of fleet) await tx.insert(ships, ship);
      await tx.insert(shipsInDock, { id: 'other' });
    });
    const found: Stored<Ship>[] = [];
    let pages = 0;
    for await (const page of catalog.pages(ships)) {
      found.push(...page);
      pages += 1;
      await catalog.write(async (tx) => {
        await tx.replace(ships, { ...fleet.at(-pages)!, tons: 1 });
        await tx.insert(ships, { id: `z${pages}` });
      });
    }
    t.true(pages > 1);
    t.deepEqual(
      found.map(({ record }) => record),
      fleet.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    t.deepEqual(
      found.map(({ json }) => json),
      found.map(({ record }) => JSON.stringify(record)),
    );
  });

  about('a snapshot stays as it was taken, whatever is written meanwhile', async (t, catalog) => {
    const fleet = Array.from({ length: 1200 }, (_, n): Ship => ({ id: `s${n}`, name: `n${n}`, ports: [`p${n % 7}`] }));
    await catalog.write(async (tx) => {
      for (const ship of fleet) await tx.insert(ships, ship);
    });
    const before = await all(catalog.list(ships));
    const snapshot = await catalog.snapshot();
    const entries = snapshot.entries()[Symbol.asyncIterator]();
    const first = await entries.next();
    await catalog.write(async (tx) => {
      await tx.replace(ships, { id: 's1', name: 'other' });
      await tx.delete(ships, 's2');
      await tx.insert(ships, { id: 'new' });
      await tx.insert(shipsInDock, { id: 'new' });
    });
    t.deepEqual(await all(snapshot.list(ships)), before);
    t.deepEqual(await snapshot.get(ships, 's1'), fleet[1]);
    t.is((await snapshot.find(ships, 'name:n2'))?.id, 's2');
    t.deepEqual((await idsIn(snapshot, 'port', { prefix: 'p1' })).length, (await idsOf('p1')).length);
    t.deepEqual(await all(snapshot.list(shipsInDock)), []);
    const rest = await all({ [Symbol.asyncIterator]: () => entries });
    const keys = [...first.value!, ...rest.flat()].map(([key]) => key);
    t.is(keys.length, fleet.length * 3);
    t.is(new Set(keys).size, keys.length);
    await snapshot.close();
    t.is((await catalog.get(ships, 's1'))?.name, 'other');

    async function idsOf(port: string): Promise<Ship[]> {
      return fleet.filter(({ ports }) => ports?.includes(port));
    }
  });

  about(
    'an empty catalog takes what a snapshot of another holds, kinds that nobody knows included',
    async (t, catalog) => {
      const fleet = hostile.slice(1).map((id, n): Ship => ({ id, name: `${id}${n}`, ports: [id, 'all'], tons: n }));
      await catalog.write(async (tx) => {
        for (const ship of fleet) await tx.insert(ships, ship);
        await tx.insert(shipsInDock, { id: 'x' });
      });
      const other = await open(t);
      t.teardown(other.close);
      const snapshot = await catalog.snapshot();
      // as it would come back from a file
      const read = async function* () {
        for await (const page of snapshot.entries()) yield JSON.parse(JSON.stringify(page));
      };
      await other.catalog.load(read());
      t.deepEqual(await all(other.catalog.list(ships)), await all(catalog.list(ships)));
      t.deepEqual(await idsIn(other.catalog, 'port'), await idsIn(catalog, 'port'));
      t.deepEqual(await all(other.catalog.list(shipsInDock)), [{ id: 'x' }]);
      t.is((await other.catalog.find(ships, `name:${fleet[3]!.name}`))?.id, fleet[3]!.id);
      const refusal = other.catalog.write((tx) => tx.insert(ships, { id: 'new', name: fleet[3]!.name! }));
      await t.throwsAsync(refusal, { instanceOf: Taken });
      await t.throwsAsync(other.catalog.load(snapshot.entries()), { message: /holds something already/ });
      await snapshot.close();
    },
  );

  about('who has read enough pages may go', async (t, catalog) => {
    await catalog.write(async (tx) => {
      for (let n = 0; n < 2000; n += 1) await tx.insert(ships, { id: `s${n}` });
    });
    const pages = catalog.pages(ships)[Symbol.asyncIterator]();
    t.true((await pages.next()).value!.length < 2000);
    t.true((await pages.return!()).done);
    t.true((await pages.next()).done);
    await catalog.close();
    for (const when of ['now', 'later']) {
      await t.throwsAsync(catalog.pages(ships)[Symbol.asyncIterator]().next(), { instanceOf: StorageDown }, when);
    }
  });

  about('followers are told of committed changes, in order, before the write is acknowledged', async (t, catalog) => {
    const told: Change<Ship>[] = [];
    catalog.follow(ships, (changes) => void told.push(...changes));
    await insert(catalog, { id: '1', tons: 1 });
    t.deepEqual(told.splice(0), [{ id: '1', record: { id: '1', tons: 1 } }]);

    await Promise.allSettled([
      insert(catalog, { id: '2' }),
      catalog.write(async (tx) => {
        await tx.insert(ships, { id: 'never' });
        throw new Error('no');
      }),
      catalog.write((tx) => tx.replace(ships, { id: '1', tons: 2 })),
      catalog.write((tx) => tx.insert(shipsInDock, { id: 'other' })),
      catalog.write((tx) => tx.delete(ships, '2')),
    ]);
    t.deepEqual(told, [{ id: '2', record: { id: '2' } }, { id: '1', record: { id: '1', tons: 2 } }, { id: '2' }]);
  });

  about('a follower finds in the catalog what it is told', async (t, catalog) => {
    const found: Promise<Ship | undefined>[] = [];
    catalog.follow(ships, (changes) => {
      for (const { id } of changes) found.push(catalog.get(ships, id));
    });
    await insert(catalog, { id: '1', tons: 1 });
    t.deepEqual(await Promise.all(found), [{ id: '1', tons: 1 }]);
  });

  about('each follower gets values of its own, until it stops', async (t, catalog) => {
    const told: (Ship | undefined)[] = [];
    const stop = catalog.follow(ships, ([change]) => {
      change!.record!.tons = 99;
    });
    catalog.follow(ships, ([change]) => void told.push(change!.record));
    await insert(catalog, { id: '1', tons: 1 });
    t.deepEqual(told, [{ id: '1', tons: 1 }]);
    stop();
    await insert(catalog, { id: '2', tons: 2 });
    t.deepEqual(await catalog.get(ships, '2'), { id: '2', tons: 2 });
  });

  about('whoever has the catalog is a member of it, and the first while there is no other', async (t, catalog) => {
    const { members } = catalog;
    t.true(catalog.current());
    await members.look();
    t.deepEqual(members.all(), [members.self]);
    t.true(members.isIn(members.self.id));
    t.false(members.isIn('00000000-0000-4000-8000-000000000000'));
    t.true(members.isFirst());
    members.hear('topic', () => t.fail('nobody hears himself'));
    members.tell('topic', { any: 'thing' });
    await members.look();
  });

  about('alone is one after another under each name, whatever becomes of it', async (t, catalog) => {
    const { members } = catalog;
    const events: string[] = [];
    const { opened, open } = gate();
    const first = members.alone('a', async () => {
      events.push('begin');
      await opened;
      events.push('end');
      throw new Error('it failed');
    });
    const second = members.alone('a', async () => {
      events.push('next');
      return 2;
    });
    t.is(await members.alone('b', async () => 'other'), 'other');
    t.is(await members.ifAlone('a', async () => t.fail()), undefined);
    open();
    await t.throwsAsync(first, { message: 'it failed' });
    t.is(await second, 2);
    t.deepEqual(events, ['begin', 'end', 'next']);
    t.is(await members.ifAlone('a', async () => 3), 3);
    await t.throwsAsync(
      members.ifAlone('a', async () => {
        throw new Error('it failed, too');
      }),
      { message: 'it failed, too' },
    );
  });

  about('snapshots are counted while they are open', async (t, catalog) => {
    t.is(catalog.openSnapshots(), 0);
    const [one, two] = [await catalog.snapshot(), await catalog.snapshot()];
    t.is(await catalog.write(async () => catalog.openSnapshots()), 2);
    await one.close();
    await one.close();
    t.is(await catalog.write(async () => catalog.openSnapshots()), 1);
    await two.close();
    t.is(await catalog.write(async () => catalog.openSnapshots()), 0);
  });

  about('close waits for the writes that have begun and refuses those that come later', async (t, catalog) => {
    const acknowledged = insert(catalog, { id: '1' });
    await catalog.close();
    await t.notThrowsAsync(acknowledged);
    await t.throwsAsync(insert(catalog, { id: '2' }));
    await t.throwsAsync(catalog.get(ships, '1'));
  });
}

function insert(catalog: Catalog, ship: Ship): Promise<void> {
  return catalog.write((tx) => tx.insert(ships, ship));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function ids(records: AsyncIterable<Ship>): Promise<string[]> {
  return (await all(records)).map(({ id }) => id);
}

async function idsIn(reader: Reader, index: string, options?: RangeOptions): Promise<string[]> {
  return (await all(reader.range(ships, index, options))).map(({ record }) => record.id);
}

async function inPages(reader: Reader, index: string, options: RangeOptions): Promise<string[]> {
  const found: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await all(reader.range(ships, index, { ...options, ...(after !== undefined && { after }) }));
    if (page.length === 0) return found;
    found.push(...page.map(({ record }) => record.id));
    after = page.at(-1)!.at;
  }
}

/** A string as its code points, spelt so that comparing the spellings compares the UTF-8. */
const spelt = (text: string) => Array.from(text, (c) => c.codePointAt(0)!.toString(16).padStart(6, '0')).join();

const byBytes = (a: string, b: string) => (spelt(a) < spelt(b) ? -1 : 1);

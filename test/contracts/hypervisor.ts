import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { packings } from '../../imgapi/packing.js';
import { CommandFailed } from '../../server/hypervisors/host.js';
import {
  type Hypervisor,
  NotOnNode,
  NotOnPlatform,
  type SendOptions,
  type SnapshotName,
} from '../../server/hypervisors/hypervisor.js';
import { type ImgapiForNodes, type OrderedImage, serveImages } from '../support/imgapi-for-nodes.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import type { Toolbox } from '../support/toolbox.js';

export interface LabVm {
  uuid: string;
  /** Its first disk holds these bytes from now on. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A node of one platform, reached through a real sshd, and what the suite must do there by hand. */
export interface Lab {
  hypervisor: Hypervisor;
  tools: Toolbox;
  /** The command that sends the bytes of a snapshot, and a word that it is given then only: `zfs`, `send`. */
  sender: { tool: string; word: string };
  /** Where images lie. */
  pool: string;
  /** A machine whose one disk holds these bytes, made of an image on the pool where one is given. */
  addVm(bytes: Uint8Array, plan?: { hostname?: string; image?: string }): Promise<LabVm>;
  /**
   * The bytes that a disk holds, from what was opened of its snapshots, by the real tools: base first, each following one
   * on the one before it.
   */
  restore(streams: readonly Uint8Array[]): Promise<Uint8Array>;
  /** The file of an image whose disk holds these bytes, as IMGAPI has it, and its type. */
  makeImage(bytes: Uint8Array): Promise<{ file: Uint8Array; type: string }>;
  /** What jobs of ours have on the node: holds, files, half images, processes. */
  leftovers(): Promise<string[]>;
  /** Takes up all room on the pool but some. */
  fill(): Promise<void>;
  can: { increments: boolean; holds: boolean };
}

const CONTENT = 300_000;

/** What every connector keeps to. `needs` is what the machine must have for it. */
export function hypervisorContract(
  name: string,
  needs: readonly (keyof typeof isMet)[],
  open: (t: ExecutionContext) => Promise<Lab>,
): void {
  const lacking = needs.find((need) => !isMet[need]);

  function about(title: string, proof: (t: ExecutionContext, lab: Lab) => Promise<void>): void {
    const test = lacking === undefined ? ava : ava.skip;
    const why = lacking === undefined ? '' : ` (${lacking})`;
    test(`${name}: ${title}${why}`, async (t) => {
      await proof(t, await open(t));
    });
  }

  about('says what it is, and what it has', async (t, { hypervisor, pool }) => {
    const found = await hypervisor.describe(soon());
    t.is(found.platform, hypervisor.platform);
    t.truthy(found.hostname);
    t.truthy(found.version);
    const mine = found.pools.find((one) => one.name === pool);
    t.true(mine !== undefined && mine.size > 0 && mine.free > 0 && mine.free <= mine.size, JSON.stringify(found.pools));
    t.truthy(mine?.health);
    for (const version of Object.values(found.tools)) t.is(typeof version, 'string');
  });

  about('tells its machines, and nothing where there are none', async (t, lab) => {
    t.deepEqual(await lab.hypervisor.inventory(soon()), []);
    const { uuid } = await lab.addVm(randomBytes(CONTENT), { hostname: 'web1' });
    const [vm, ...others] = await lab.hypervisor.inventory(soon());
    t.like(vm, { uuid, hostname: 'web1' });
    t.is(vm?.disks.length, 1);
    t.is(vm?.disks[0]?.disk, 1);
    t.deepEqual(others, []);
  });

  about('a snapshot is taken, listed and removed', async (t, lab) => {
    const { hypervisor } = lab;
    const { uuid } = await lab.addVm(randomBytes(CONTENT));
    const meant = { vm: uuid, disk: 1, snapshot: 'before' };
    t.deepEqual(await hypervisor.snapshots(uuid, soon()), []);
    await hypervisor.takeSnapshot(meant, soon());
    await t.throwsAsync(hypervisor.takeSnapshot(meant, soon()), { instanceOf: CommandFailed });
    const [found, ...others] = await hypervisor.snapshots(uuid, soon());
    t.like(found, { name: 'before', disk: 1 });
    t.deepEqual(others, []);
    await hypervisor.removeSnapshot(meant, soon());
    t.deepEqual(await hypervisor.snapshots(uuid, soon()), []);
    await t.throwsAsync(hypervisor.removeSnapshot(meant, soon()), { instanceOf: NotOnNode });
  });

  about('what is not there is told by what it is', async (t, lab) => {
    const { uuid } = await lab.addVm(randomBytes(CONTENT));
    await lab.hypervisor.takeSnapshot({ vm: uuid, disk: 1, snapshot: 's' }, soon());
    const cases: [NotOnNode['what'], SnapshotName][] = [
      ['vm', { vm: randomUUID(), disk: 1, snapshot: 's' }],
      ['disk', { vm: uuid, disk: 2, snapshot: 's' }],
      ['disk', { vm: uuid, disk: 0, snapshot: 's' }],
      ['snapshot', { vm: uuid, disk: 1, snapshot: 'other' }],
    ];
    for (const [what, meant] of cases) {
      for (const ask of asks(lab.hypervisor)) {
        const error = await t.throwsAsync(ask(meant), { instanceOf: NotOnNode }, `${what}: ${JSON.stringify(meant)}`);
        t.is(error?.what, what);
      }
    }
    await t.throwsAsync(lab.hypervisor.snapshots(randomUUID(), soon()), { instanceOf: NotOnNode });
  });

  about('tells what an image of a snapshot will be', async (t, lab) => {
    const { uuid } = await lab.addVm(randomBytes(CONTENT), { hostname: 'web1' });
    const meant = { vm: uuid, disk: 1, snapshot: 's' };
    await lab.hypervisor.takeSnapshot(meant, soon());
    const facts = await lab.hypervisor.facts(meant, soon());
    t.like(facts.vm, { uuid, hostname: 'web1' });
    t.is(facts.disk.disk, 1);
    t.true(['zvol', 'zone-dataset', 'lx-dataset', 'other'].includes(facts.type));
    t.true(facts.bytes === undefined || facts.bytes >= CONTENT, `${facts.bytes}`);
    t.is(facts.origin, undefined);
  });

  about('the bytes of a snapshot are those that the disk held then', async (t, lab) => {
    const bytes = randomBytes(CONTENT);
    const vm = await lab.addVm(bytes);
    const meant = { vm: vm.uuid, disk: 1, snapshot: 's' };
    await lab.hypervisor.takeSnapshot(meant, soon());
    await vm.write(randomBytes(CONTENT));
    const stream = await opened(lab, meant);
    t.true(same(await lab.restore([stream]), bytes));
    t.deepEqual(await lab.leftovers(), []);
  });

  for (const kind of packings.filter((packing) => packing !== 'none')) {
    about(`packed on the node with ${kind}`, async (t, lab) => {
      const { uuid } = await lab.addVm(randomBytes(CONTENT));
      const meant = { vm: uuid, disk: 1, snapshot: 's' };
      await lab.hypervisor.takeSnapshot(meant, soon());
      const plain = await opened(lab, meant);
      const packed = await opened(lab, meant, { packing: { kind, level: 1 } });
      t.true(same(unpacked(t, kind, packed), plain));
    });
  }

  about('an increment says of what, and a chain of three is received whole', async (t, lab) => {
    if (!lab.can.increments) {
      const { uuid } = await lab.addVm(randomBytes(CONTENT));
      const meant = { vm: uuid, disk: 1, snapshot: 's' };
      await lab.hypervisor.takeSnapshot(meant, soon());
      await t.throwsAsync(opened(lab, meant, { incremental: true }), { instanceOf: NotOnPlatform });
      return;
    }
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(CONTENT));
    const chain = [source.add(file, { type })];
    const streams: Uint8Array[] = [file];
    let last: Uint8Array = Buffer.alloc(0);
    for (const at of [1, 2]) {
      const base = chain.at(-1)!;
      await pulled(lab, source, chain);
      last = randomBytes(CONTENT + at);
      const { uuid } = await lab.addVm(last, { image: base.uuid });
      const meant = { vm: uuid, disk: 1, snapshot: `s${at}` };
      await lab.hypervisor.takeSnapshot(meant, soon());
      const { origin } = await lab.hypervisor.facts(meant, soon());
      t.is(origin?.image, base.uuid);
      const stream = await opened(lab, meant, { incremental: true });
      streams.push(stream);
      chain.push(source.add(stream, { type, origin: base.uuid }));
    }
    t.true(same(await lab.restore(streams), last));
    await pulled(lab, source, chain);
    const there = (await lab.hypervisor.images(soon())).map(({ uuid }) => uuid);
    t.deepEqual(there.sort(), chain.map(({ uuid }) => uuid).sort());
    t.deepEqual(await lab.leftovers(), []);
  });

  about('a snapshot that is held stays, until its last job lets go', async (t, lab) => {
    const { hypervisor } = lab;
    const { uuid } = await lab.addVm(randomBytes(CONTENT));
    const meant = { vm: uuid, disk: 1, snapshot: 's' };
    const [one, other] = [randomUUID(), randomUUID()];
    await hypervisor.takeSnapshot(meant, soon());
    for (const job of [one, one, other]) await hypervisor.hold(meant, job, soon());
    const held = async (title: string) => {
      if (!lab.can.holds) return;
      await t.throwsAsync(hypervisor.removeSnapshot(meant, soon()), { instanceOf: CommandFailed }, title);
    };
    await held('by two');
    for (const job of [one, one]) await hypervisor.release(meant, job, soon());
    await held('by one');
    await hypervisor.release(meant, other, soon());
    t.deepEqual(await lab.leftovers(), []);
    await hypervisor.removeSnapshot(meant, soon());
    await hypervisor.release(meant, other, soon());
  });

  about('a sweep lets go of what jobs have left that are no more', async (t, lab) => {
    const { hypervisor } = lab;
    const { uuid } = await lab.addVm(randomBytes(CONTENT));
    const meant = { vm: uuid, disk: 1, snapshot: 's' };
    const [gone, underWay] = [randomUUID(), randomUUID()];
    await hypervisor.takeSnapshot(meant, soon());
    for (const job of [gone, underWay]) await hypervisor.hold(meant, job, soon());
    await hypervisor.sweep(async (job) => job !== underWay, soon());
    const left = (await lab.leftovers()).join();
    t.false(left.includes(gone), left);
    if (lab.can.holds) t.true(left.includes(underWay), left);
    await hypervisor.sweep(async () => true, soon());
    t.deepEqual(await lab.leftovers(), []);
    await hypervisor.removeSnapshot(meant, soon());
  });

  about('what is aborted, or not read to its end, leaves nothing', async (t, lab) => {
    const { uuid } = await lab.addVm(randomBytes(CONTENT));
    const meant = { vm: uuid, disk: 1, snapshot: 's' };
    await lab.hypervisor.takeSnapshot(meant, soon());
    await sendsBy(lab, `"$real" "$@" | head -c 1000; exec sleep 600`);

    for await (const chunk of lab.hypervisor.openSnapshot(meant, { job: randomUUID(), signal: soon() })) {
      t.true(chunk.length > 0);
      break;
    }
    const abort = new AbortController();
    const reading = async () => {
      const options = { job: randomUUID(), signal: abort.signal };
      for await (const _ of lab.hypervisor.openSnapshot(meant, options)) abort.abort();
    };
    await t.throwsAsync(reading, { any: true });
    t.deepEqual(await lab.leftovers(), []);
    await lab.tools.restore(lab.sender.tool);
    await lab.hypervisor.removeSnapshot(meant, soon());
  });

  about('a tool that fails half-way, or behind all bytes, or is not there, is a failure', async (t, lab) => {
    const { uuid } = await lab.addVm(randomBytes(CONTENT));
    const meant = { vm: uuid, disk: 1, snapshot: 's' };
    await lab.hypervisor.takeSnapshot(meant, soon());
    const ways: [script: string, said: RegExp][] = [
      [`"$real" "$@" | head -c 1000; echo 'I/O error' >&2; exit 3`, /I\/O error/],
      [`"$real" "$@"; echo 'at the end' >&2; exit 4`, /at the end/],
      [`echo "sh: ${lab.sender.tool}: not found" >&2; exit 127`, /not found/],
      ['kill -9 $$', /./],
    ];
    for (const [script, message] of ways) {
      await sendsBy(lab, script);
      for (const options of [{}, { packing: { kind: 'gzip', level: 1 } }] as const) {
        await t.throwsAsync(opened(lab, meant, options), { instanceOf: CommandFailed, message }, script);
      }
    }
    await lab.tools.restore(lab.sender.tool);
    t.deepEqual(await lab.leftovers(), []);
  });

  about('names can not become a command, nor an option', async (t, lab) => {
    const { hypervisor } = lab;
    const bytes = randomBytes(CONTENT);
    const { uuid } = await lab.addVm(bytes);
    await hypervisor.takeSnapshot({ vm: uuid, disk: 1, snapshot: 'untouched' }, soon());
    const canary = join(await scratch(t), 'canary');
    await lab.tools.put('canary', `echo "$@" >'${canary}'`);
    for (const name of HOSTILE) {
      const meant = { vm: uuid, disk: 1, snapshot: name };
      for (const ask of asks(hypervisor)) await t.throwsAsync(ask(meant), undefined, name);
      try {
        await hypervisor.takeSnapshot(meant, soon());
        t.deepEqual(
          (await hypervisor.snapshots(uuid, soon())).map((found) => found.name).sort(),
          [name, 'untouched'].sort(),
        );
        t.true(same(await lab.restore([await opened(lab, meant)]), bytes), name);
        await hypervisor.removeSnapshot(meant, soon());
      } catch (error) {
        t.true(
          error instanceof CommandFailed || error instanceof NotOnNode || error instanceof NotOnPlatform,
          `${error}`,
        );
      }
      t.deepEqual(
        (await hypervisor.snapshots(uuid, soon())).map((found) => found.name),
        ['untouched'],
        name,
      );

      const elsewhere = { vm: name, disk: 1, snapshot: 'untouched' };
      for (const ask of asks(hypervisor)) await t.throwsAsync(ask(elsewhere), { instanceOf: NotOnNode }, name);
      await t.throwsAsync(hypervisor.remove(name, lab.pool, soon()), undefined, name);
      await t.throwsAsync(hypervisor.remove(randomUUID(), name, soon()), undefined, name);
    }
    t.false(existsSync(canary));
    t.is((await hypervisor.inventory(soon())).length, 1);
    t.deepEqual(await lab.leftovers(), []);
  });

  about('an image is pulled, once, and removed', async (t, lab) => {
    const { hypervisor, pool } = lab;
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(CONTENT));
    const image = source.add(file, { type });
    const reports = await pulled(lab, source, [image]);
    t.is(reports.at(-1), file.length);
    t.deepEqual(
      reports,
      reports.toSorted((a, b) => a - b),
    );
    t.like((await hypervisor.images(soon()))[0], { uuid: image.uuid, pool, used: 0 });
    const { length } = source.asked.filter((path) => path.endsWith('/file'));
    await pulled(lab, source, [image]);
    t.is(source.asked.filter((path) => path.endsWith('/file')).length, length, 'what is there is not fetched again');
    t.deepEqual(await lab.leftovers(), []);

    const { uuid } = await lab.addVm(randomBytes(CONTENT), { image: image.uuid });
    t.is((await hypervisor.inventory(soon()))[0]?.disks[0]?.image, image.uuid);
    t.like((await hypervisor.images(soon()))[0], { uuid: image.uuid, used: 1 });
    t.truthy(uuid);
    await t.throwsAsync(hypervisor.remove(image.uuid, pool, soon()), { instanceOf: CommandFailed });
    t.is((await hypervisor.images(soon())).length, 1);
  });

  about('an image that nothing is made of is removed', async (t, lab) => {
    const { hypervisor, pool } = lab;
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(CONTENT));
    const image = source.add(file, { type });
    await pulled(lab, source, [image]);
    await hypervisor.remove(image.uuid, pool, soon());
    t.deepEqual(await hypervisor.images(soon()), []);
    await t.throwsAsync(hypervisor.remove(image.uuid, pool, soon()), { instanceOf: NotOnNode });
  });

  about('an image that does not come as it should leaves nothing', async (t, lab) => {
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(CONTENT));
    const lies = [
      source.add(file, { type }, { sha1: '0'.repeat(40) }),
      source.add(file, { type }, { cut: 1000 }),
      source.add(randomBytes(1000), { type }),
      source.add(file, { type, compression: 'gzip' }),
      { ...source.add(file, { type }), uuid: randomUUID() },
    ];
    for (const image of lies) {
      const error = await t.throwsAsync(pulled(lab, source, [image]), undefined, JSON.stringify(image));
      t.false(`${error} ${JSON.stringify(error)} ${error?.stack}`.includes(source.token), 'the token is not told');
      t.deepEqual(await lab.hypervisor.images(soon()), []);
      t.deepEqual(await lab.leftovers(), []);
    }
  });

  about('a pull that is aborted leaves nothing', async (t, lab) => {
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(CONTENT));
    const image = source.add(file, { type }, { stall: 10_000 });
    const abort = new AbortController();
    const pulling = pulled(lab, source, [image], abort.signal);
    void source.stalled.then(() => abort.abort());
    await t.throwsAsync(pulling, { any: true });
    t.deepEqual(await lab.hypervisor.images(soon()), []);
    t.deepEqual(await lab.leftovers(), []);
  });

  about('a pool that is full takes no image, and has nothing of it', async (t, lab) => {
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(8 << 20));
    await lab.fill();
    await t.throwsAsync(pulled(lab, source, [source.add(file, { type })]));
    t.deepEqual(await lab.hypervisor.images(soon()), []);
    t.deepEqual(await lab.leftovers(), []);
  });

  about('no image goes onto a pool that is not there', async (t, lab) => {
    const source = await serveImages(t);
    const { file, type } = await lab.makeImage(randomBytes(CONTENT));
    await t.throwsAsync(pulled({ ...lab, pool: 'elsewhere' }, source, [source.add(file, { type })]));
    t.deepEqual(
      source.asked.filter((path) => path.endsWith('/file')),
      [],
    );
  });

  about('the image servers that it asks are kept as they are told', async (t, { hypervisor }) => {
    const [one, two, three] = ['http://one.test/t1', 'https://two.test', 'https://three.test/path'] as const;
    for (const wanted of [[one, two], [one, two], [two, one, three], [three], []]) {
      await hypervisor.configureSources(wanted, soon());
      t.deepEqual(await hypervisor.sources(soon()), wanted);
    }
  });
}

/** Of snapshots, as well as of machines and images. */
const HOSTILE = [
  '$(canary)',
  '`canary`',
  'a b',
  '-rf',
  '--help',
  'a;canary',
  "a'b",
  'a"b',
  'a|canary',
  'a\ncanary',
  '../x',
  'a/b',
  'a@b',
  '*',
  '',
  'ä',
  'x'.repeat(200),
  'x'.repeat(2000),
];

const soon = () => AbortSignal.timeout(60_000);

const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;

/** All that is asked of a snapshot that must be there. */
const asks = (hypervisor: Hypervisor): ((meant: SnapshotName) => Promise<unknown>)[] => [
  (meant) => hypervisor.facts(meant, soon()),
  (meant) => hypervisor.hold(meant, randomUUID(), soon()),
  (meant) => hypervisor.removeSnapshot(meant, soon()),
  (meant) => opened({ hypervisor }, meant),
];

async function opened(
  { hypervisor }: Pick<Lab, 'hypervisor'>,
  meant: SnapshotName,
  options: Partial<SendOptions> = {},
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const stream = hypervisor.openSnapshot(meant, { job: randomUUID(), signal: soon(), ...options });
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function pulled(
  { hypervisor, pool }: Lab,
  { url }: ImgapiForNodes,
  images: readonly OrderedImage[],
  signal = soon(),
): Promise<number[]> {
  const reports: number[] = [];
  const order = { images: [...images], pool, source: url, job: randomUUID() };
  await hypervisor.pull(order, { signal, report: (bytes) => reports.push(bytes) });
  return reports;
}

/** The sender is this script where it sends, and as it was where it is asked something else. */
async function sendsBy({ tools, sender: { tool, word } }: Lab, script: string): Promise<void> {
  await tools.put(tool, `case " $* " in *" ${word} "*) ${script};; *) exec "$real" "$@";; esac`);
}

function unpacked(t: ExecutionContext, kind: string, bytes: Uint8Array): Uint8Array {
  const { stdout, status, stderr } = spawnSync(kind, ['-dc'], { input: bytes, maxBuffer: 1 << 30 });
  t.is(status, 0, stderr.toString());
  return stdout;
}

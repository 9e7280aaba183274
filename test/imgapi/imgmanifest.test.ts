import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import imgmanifest from 'imgmanifest';
import { type Rules, validateManifest, validateMinimal } from '../../imgapi/manifest.js';
import { upgradeManifest } from '../../imgapi/upgrade.js';
import { differences } from './differences.js';
import { type Manifest, randomManifest, randomOldManifest } from './manifests.js';
import { Random } from './random.js';

const SEED = 20_261_120;
const ROUNDS = 4000;

interface Verdict {
  field: string;
  code: string;
}

interface Server {
  name: string;
  rules?: Rules;
  theirs: typeof imgmanifest.validateDcManifest;
}

const { validateMinimalManifest, validateDcManifest, validatePublicManifest, validatePrivateManifest } = imgmanifest;
const inChannels =
  (validate: Server['theirs']): Server['theirs'] =>
  (manifest) =>
    validate(manifest, { channelFromName: { dev: {} } });

const servers: Server[] = [
  { name: 'minimal', theirs: validateMinimalManifest },
  { name: 'dc', rules: { mode: 'dc', channels: false }, theirs: validateDcManifest },
  { name: 'dc, channels', rules: { mode: 'dc', channels: true }, theirs: validateDcManifest },
  { name: 'public', rules: { mode: 'public', channels: false }, theirs: validatePublicManifest },
  { name: 'public, channels', rules: { mode: 'public', channels: true }, theirs: inChannels(validatePublicManifest) },
  { name: 'private', rules: { mode: 'private', channels: false }, theirs: validatePrivateManifest },
  {
    name: 'private, channels',
    rules: { mode: 'private', channels: true },
    theirs: inChannels(validatePrivateManifest),
  },
];

const verdicts = (errors: Verdict[]): Verdict[] => errors.map(({ field, code }) => ({ field, code }));

const ourVerdicts = (manifest: Manifest, { rules }: Server) =>
  verdicts(rules ? validateManifest(manifest, rules) : validateMinimal(manifest));

/** Nothing, when theirs threw. */
function theirVerdicts(manifest: Manifest, { theirs }: Server): Verdict[] | undefined {
  try {
    return verdicts(theirs(manifest) ?? []);
  } catch {
    return undefined;
  }
}

const EARLY = ['icon', 'tags'];

/** Section 5.4: a server looks at icon and tags before all else. Their library by itself does not. */
function asServer(errors: Verdict[], { rules }: Server): Verdict[] {
  if (!rules) return errors;
  return [
    ...EARLY.flatMap((name) => errors.filter(({ field }) => field === name)),
    ...errors.filter(({ field }) => !EARLY.includes(field)),
  ];
}

for (const server of servers) {
  test(`the same manifests are fine, and wrong for the same reasons: ${server.name}`, (t) => {
    t.log(`seed ${SEED}`);
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round += 1) {
      const manifest = randomManifest(random);
      const applying = differences.filter(({ disputed }) => disputed(manifest, server.rules).length > 0);
      const disputed = applying.flatMap((difference) => difference.disputed(manifest, server.rules));
      const undisputed = (errors: Verdict[]) => errors.filter(({ field }) => !disputed.includes(field));
      const ours = ourVerdicts(manifest, server);
      const theirs = theirVerdicts(manifest, server);
      if (!theirs && applying.some(({ crashes }) => crashes)) continue;
      const wanted = theirs && undisputed(asServer(theirs, server));
      if (!isDeepStrictEqual(undisputed(ours), wanted)) return t.deepEqual(ours, wanted, JSON.stringify(manifest));
    }
    t.pass();
  });
}

test('every difference is real', (t) => {
  const random = new Random(SEED);
  const met = new Map(differences.map(({ name }) => [name, 0]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const manifest = randomManifest(random);
    for (const server of servers) {
      const applying = differences.filter(({ disputed }) => disputed(manifest, server.rules).length > 0);
      const [only] = applying.length === 1 ? applying : [];
      const theirs = theirVerdicts(manifest, server);
      const differ = !theirs || !isDeepStrictEqual(ourVerdicts(manifest, server), asServer(theirs, server));
      if (only && differ) met.set(only.name, met.get(only.name)! + 1);
    }
  }
  t.log(Object.fromEntries(met));
  for (const [name, times] of met) t.true(times > 0, name);
});

test('icon and tags come first on a server, and only there', (t) => {
  const random = new Random(SEED);
  const moved = new Map(servers.map(({ name }) => [name, 0]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const manifest = randomManifest(random);
    for (const server of servers) {
      const theirs = theirVerdicts(manifest, server) ?? [];
      if (!isDeepStrictEqual(theirs, asServer(theirs, server))) moved.set(server.name, moved.get(server.name)! + 1);
    }
  }
  for (const { name, rules } of servers) t.is(moved.get(name)! > 0, rules !== undefined, name);
});

/** Old manifests that theirs refuses for a reason that is none. */
const pathless = ({ files }: Manifest) =>
  Array.isArray(files) &&
  files.some((file) => file && !file.compression && file.path === undefined && file.url === undefined);

test('old manifests are upgraded alike', (t) => {
  t.log(`seed ${SEED}`);
  const random = new Random(SEED);
  const outcome = (upgrade: (manifest: Manifest) => Manifest, manifest: Manifest) => {
    try {
      return upgrade(manifest);
    } catch {
      return 'refused';
    }
  };
  const met = new Map<string, number>();
  const count = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    const manifest = randomOldManifest(random);
    const before = structuredClone(manifest);
    const ours = outcome(upgradeManifest, manifest);
    const theirs = outcome(imgmanifest.upgradeManifest, manifest);
    t.deepEqual(manifest, before);
    count(ours === 'refused' ? 'refused' : 'upgraded');
    if (theirs === 'refused' && ours !== 'refused') {
      t.true(pathless(manifest), `theirs refuses for a reason that has no name: ${JSON.stringify(manifest)}`);
      count('pathless');
    } else {
      t.deepEqual(ours, theirs, JSON.stringify(manifest));
    }
  }
  t.log(Object.fromEntries(met));
  t.deepEqual([...met.keys()].sort(), ['pathless', 'refused', 'upgraded']);
});

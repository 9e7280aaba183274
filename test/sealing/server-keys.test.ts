import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openAuditKey } from '../../server/audit/key.js';
import { makeKey, openNodeKey } from '../../server/hypervisors/node-key.js';
import { OperatorMistake } from '../../server/model/operator-mistake.js';
import { serverKeys } from '../../server/model/server-key.js';
import { openServerKeys } from '../../server/open-server-keys.js';
import { makeSecretsKey } from '../../server/sealing/make-secrets-key.js';
import { Seals } from '../../server/sealing/seals.js';
import { readSecretsKey } from '../../server/sealing/secrets-key.js';
import { openCatalog } from '../../storage/open.js';
import { defaults } from '../config/settings.js';
import { scratch } from '../support/scratch.js';

const now = () => new Date('2030-01-01T00:00:00.000Z');

/** Daemons, each with a directory of its own, on one catalog. */
async function site(t: ExecutionContext) {
  const catalog = await openCatalog({ kind: 'memory' });
  t.teardown(() => catalog.close());
  const key = randomBytes(32);
  return {
    catalog,
    open: (data: string, { alone = false, secretsKey = key } = {}) => {
      const seals = new Seals({ what: '/etc/slipway/secrets-key', key: secretsKey });
      const database = alone ? undefined : 'postgres://h/d';
      return openServerKeys({ ...defaults, data, database }, { catalog, seals, now });
    },
  };
}

const shownOf = ({ audit, node }: Awaited<ReturnType<typeof openServerKeys>>) => [audit.public, node.public];

test('daemons that start at once sign alike and reach nodes alike, and keep no key in a file', async (t) => {
  const { open, catalog } = await site(t);
  const places = await Promise.all([1, 2, 3].map(() => scratch(t)));
  const [first, ...others] = await Promise.all(places.map((data) => open(data)));
  for (const other of others) t.deepEqual(shownOf(other!), shownOf(first!));
  t.deepEqual(shownOf(await open(places[0]!)), shownOf(first!));
  for (const data of places) {
    for (const name of ['audit-key', 'node-key']) await t.throwsAsync(stat(join(data, name)), { code: 'ENOENT' });
  }
  const kept: string[] = [];
  for await (const record of catalog.list(serverKeys)) kept.push(JSON.stringify(record));
  t.is(kept.length, 2);
  t.notRegex(kept.join(), /PRIVATE/);
});

test('with another secretsKey a daemon does not start, and no second key is made', async (t) => {
  const { open } = await site(t);
  const first = await open(await scratch(t));
  const wrong = t.throwsAsync(open(await scratch(t), { secretsKey: randomBytes(32) }), { instanceOf: OperatorMistake });
  t.regex(
    (await wrong)?.message ?? '',
    /^secretsKey: \/etc\/slipway\/secrets-key holds another key .*need the same one/,
  );
  t.deepEqual(shownOf(await open(await scratch(t))), shownOf(first));
});

test('what a daemon that was alone has in files becomes the key of all, and goes with the catalog', async (t) => {
  const { open } = await site(t);
  const data = await scratch(t);
  const [audit, node] = [await openAuditKey(join(data, 'audit-key')), await openNodeKey(join(data, 'node-key'))];
  t.deepEqual(shownOf(await open(data)), [audit.public, node.public]);
  t.deepEqual(shownOf(await open(await scratch(t))), [audit.public, node.public]);
  t.deepEqual(shownOf(await open(await scratch(t), { alone: true })), [audit.public, node.public]);
});

test('where there is one daemon files win, and a key that can not be opened is as none', async (t) => {
  const { open } = await site(t);
  const shared = await open(await scratch(t));
  const data = await scratch(t);
  const own = makeKey('own');
  await writeFile(join(data, 'node-key'), own.private, { mode: 0o600 });
  const alone = await open(data, { alone: true });
  t.deepEqual(shownOf(alone), [shared.audit.public, own.public]);
  const stranger = await scratch(t);
  const made = await open(stranger, { alone: true, secretsKey: randomBytes(32) });
  t.not(made.audit.public, shared.audit.public);
  t.not(made.node.public, shared.node.public);
  t.is((await stat(join(stranger, 'audit-key'))).mode & 0o777, 0o600);
});

test('a new secrets key is for its owner alone, can be used, and overwrites nothing', async (t) => {
  const path = join(await scratch(t), 'secrets-key');
  await makeSecretsKey(path);
  t.is((await stat(path)).mode & 0o777, 0o600);
  const { key } = readSecretsKey(path, 'elsewhere', {});
  t.is(key?.length, 32);
  await t.throwsAsync(makeSecretsKey(path), { instanceOf: OperatorMistake, message: /it is there already/ });
  t.deepEqual(readSecretsKey(path, 'elsewhere', {}).key, key);
  await t.throwsAsync(makeSecretsKey('/nowhere/at/all'), { instanceOf: OperatorMistake, message: /ENOENT/ });
});

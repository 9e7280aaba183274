import test from 'ava';
import { addImage, resultOf, startFleet } from '../support/managed.js';

type Listed = { name: string; may: string[]; may_not: { pull?: string } };

test('whether images can be brought onto nodes follows the nodes, and is found out once for all that serve the same', async (t) => {
  const fleet = await startFleet(t);
  const { root, deps } = fleet;
  Object.assign(deps.policy, { publicUrl: undefined });
  await addImage(fleet, 'eastern');
  await addImage(fleet, 'western', { dc: 'west' });
  const told = async () => {
    const images = resultOf<Listed[]>(await root('GET', '/api/image?full=true'));
    return Object.fromEntries(
      images.map(({ name, may, may_not }) => [name, may.includes('pull') || (may_not.pull ?? 'hidden')]),
    );
  };
  const none = 'no node that is talked to serves it';
  const unset = 'publicUrl is not set: say by which URL nodes reach this server';
  t.deepEqual(await told(), { eastern: none, western: none });

  await root('POST', '/api/node/silent', { dcs: ['east'] });
  t.deepEqual(await told(), { eastern: none, western: none });

  for (const at of [1, 2, 3]) await root('POST', `/api/node/n${at}`, { dcs: ['east'], address: `192.0.2.${at}` });
  t.deepEqual(deps.directory.servedTogether, [['east']]);
  t.deepEqual(await told(), { eastern: unset, western: none });

  t.is((await root('PUT', '/api/dc/east/settings', { publicUrl: 'https://images.example.com' })).status, 200);
  t.deepEqual(await told(), { eastern: true, western: none });

  t.is((await root('PUT', '/api/node/n3', { dcs: ['west', 'east'] })).status, 200);
  t.deepEqual(await told(), { eastern: true, western: unset });
  for (const at of [1, 2, 3]) t.is((await root('DELETE', `/api/node/n${at}`)).status, 200);
  t.deepEqual(await told(), { eastern: none, western: none });
});

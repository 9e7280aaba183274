import test from 'ava';
import { images } from '../../server/model/image.js';
import { fillChannel } from '../../server/operations/fill-channel.js';
import { openServer } from '../support/server.js';

const dev = { name: 'dev', description: 'all builds', default: true };
const release = { name: 'release', description: 'what has been released' };

test('images from before there were channels come into the one that takes them', async (t) => {
  const server = await openServer({ channels: [dev, release] });
  t.teardown(() => server.close());
  const inRelease = await server.image();
  await server.ask('POST', `/images/${inRelease.uuid}?action=channel-add`, { body: { channel: 'release' } });
  const { uuid } = await server.image();
  await server.deps.catalog.write(async (tx) => {
    const { channels: _, ...before } = (await server.stored(uuid))!;
    await tx.replace(images, before);
  });
  t.is((await server.ask('GET', `/images/${uuid}?channel=*`)).status, 404);

  t.is(await fillChannel(server.deps, 'release'), 1);
  t.is((await server.ask('GET', `/images/${uuid}?channel=release`)).status, 200);
  t.is((await server.ask('GET', `/images/${uuid}`)).status, 404, 'not in the default channel');
  t.deepEqual((await server.stored(inRelease.uuid))?.channels, ['dev', 'release'], 'others stay where they are');
  t.is(await fillChannel(server.deps, 'release'), 0);
});

import { everyPlace, isOffered, redrawn, whole } from '../support/every-page.js';
import { hide, MARK, startFilled } from '../support/filled.js';
import { numbered } from '../support/fixtures.js';
import { type Seat, takeSeat, test } from '../support/seat.js';

/** In milliseconds. */
const PATIENT = 120_000;

/** What waits for something to be told by the stream of events. */
async function listener({ page, context }: Seat) {
  const wire = await context.newCDPSession(page);
  await wire.send('Network.enable');
  return (isIt: (told: { eventName: string; data: string }) => boolean) =>
    new Promise<void>((resolve, reject) => {
      AbortSignal.timeout(PATIENT).addEventListener('abort', () => reject(new Error('it was not told')));
      wire.on('Network.eventSourceMessageReceived', (told) => isIt(told) && resolve());
    });
}

const everybodys = ['/?search=nothing-is-called-so', '/', '/account', '/offered', '/tasks', '/tokens', '/webhooks'];
const ofEast = [
  ...['/audit', '/datacenters', '/datacenters/east', '/datacenters/east?tab=images', '/groups', '/groups/team'],
  ...['/image/base', '/image/empty', '/machines', '/overview', `/tasks/${numbered(2)}`],
];
const bring = ['bundle', 'registry', 'repository?repo=rep', 'snapshot', 'upload', 'url'].map((way) => `/bring/${way}`);

/** Which pages they are shown; mia administers east as dora does, by a group. */
const offered: Readonly<Record<string, readonly string[]>> = {
  eve: [...everybodys, ...ofEast, '/bring', ...bring, '/secrets', '/webhooks/hook'],
  dora: [...everybodys, ...ofEast],
  mia: [...everybodys, ...ofEast],
  sam: everybodys,
};

for (const [name, pages] of Object.entries(offered)) {
  test(`pages that ${name} is offered fail at nothing, and nothing hidden comes to the browser while all of it changes`, async (t) => {
    const server = await startFilled(t);
    const change = await hide(server);
    await server.root('POST', '/api/group/turns', {});
    const seat = await takeSeat(t, server, { token: `token-of-${name}` });
    const { page, open, received, settled, complaints } = seat;
    const told = await listener(seat);
    const seen: string[] = [];
    const failures: string[] = [];
    for (const { at } of everyPlace) {
      await open(at);
      await whole(page);
      if (!(await isOffered(page))) continue;
      await page.getByText('live', { exact: true }).waitFor();
      // Who is in one group more or less is told to read all anew: whatever comes before that has come.
      const heard = told(({ eventName }) => eventName === 'reset');
      await change();
      await server.root('PUT', '/api/group/turns', { users: seen.length % 2 ? [] : [name] });
      await heard;
      // What was under way is asked for once more when it has come.
      for (let n = 0; n < 2; n += 1) {
        await redrawn(page);
        await settled();
      }
      await whole(page);
      failures.push(...(await page.locator('.failure[role=alert]').allTextContents()).map((text) => `${at}: ${text}`));
      seen.push(at);
    }
    t.deepEqual(failures, []);
    t.deepEqual(seen.sort(), [...pages].sort());
    t.true(received.length > seen.length);
    t.deepEqual(
      received.filter((text) => text.includes(MARK)),
      [],
    );
    t.deepEqual(complaints, []);
  });
}

test('a SuperAdmin is told of it, in lists and as it changes', async (t) => {
  const server = await startFilled(t);
  const change = await hide(server);
  const seat = await takeSeat(t, server, { token: server.token });
  const told = await listener(seat);
  await seat.open('/datacenters');
  await seat.page.getByRole('link', { name: `${MARK}dc` }).waitFor();
  await seat.page.getByText('live', { exact: true }).waitFor();
  const heard = told(({ data }) => data.includes(`${MARK}will`));
  await change();
  await heard;
  await seat.settled();
  for (const what of ['"kind":"images"', '"description":'])
    t.true(
      seat.received.some((text) => text.includes(MARK) && text.replaceAll(' ', '').includes(what)),
      what,
    );
});
